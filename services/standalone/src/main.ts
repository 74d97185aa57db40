import { runService } from "@penstock/runtime";
import { startStandalone } from "./standalone-service.ts";

/** The three services as one process. */
runService(startStandalone, { service: "standalone" });
