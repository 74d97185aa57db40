import { join } from "node:path";

/** The folder of the clone: where `.cache/` lives, and where the quick start finds the services. */
export const REPOSITORY_ROOT = join(import.meta.dirname, "..", "..", "..");
