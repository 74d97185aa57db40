import { appendFileSync } from "node:fs";
import { createLogger, type Logger } from "@penstock/runtime";
import { keptFile } from "./run-folder.ts";

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => SILENT };

/** The log of a service that runs inside a test: silent, but kept with all its detail when the run is kept. */
export function keptLog(name: string): Logger {
  const file = keptFile("logs", name);
  if (file === null) return SILENT;
  const destination = { write: (line: string) => appendFileSync(file, line) };
  return createLogger({ service: name, level: "debug", destination });
}
