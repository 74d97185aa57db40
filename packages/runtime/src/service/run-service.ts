import { createLogger } from "../logs/logger.ts";
import { standardOutput } from "../logs/standard-output.ts";
import { readLeniently } from "../settings/read-leniently.ts";
import { SETTINGS } from "../settings/table/settings-table.ts";
import type { StartService } from "./service.ts";
import { ServiceLife } from "./service-life.ts";

const FLUSH_LIMIT_MS = 1000;
const HOLD_INTERVAL_MS = 2 ** 30;

export interface RunServiceOptions {
  /** Name on each log line. */
  readonly service: string;
  /** Default: the environment of the process. */
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Runs a service as this process: the whole body of a `main.ts`. See {@link ServiceLife} for what ends it and with which code.
 * The process ends by `process.exit`, so a handle left open somewhere can't keep it alive.
 */
export function runService(start: StartService, options: RunServiceOptions): void {
  const env = options.env ?? process.env;
  const output = standardOutput(readLeniently(SETTINGS.logBufferBytesMax, env));
  const log = createLogger({
    service: options.service,
    level: readLeniently(SETTINGS.logLevel, env),
  });
  const life = new ServiceLife({
    log,
    env,
    shutdownDeadlineMs: readLeniently(SETTINGS.shutdownDeadlineMs, env),
    exit: (code, isUrgent) => {
      if (isUrgent) {
        output.flushNow();
        process.exit(code);
      }
      void output.flush(FLUSH_LIMIT_MS).then(() => process.exit(code));
    },
  });
  process.on("SIGTERM", (name) => life.signal(name));
  process.on("SIGINT", (name) => life.signal(name));
  process.on("uncaughtException", (error, origin) => life.bug(error, origin));
  process.on("unhandledRejection", (reason) => life.bug(reason, "unhandledRejection"));
  // A start that waits for something without a handle must not end the process silently: only `exit` does.
  setInterval(() => {}, HOLD_INTERVAL_MS);
  void life.run(start);
}
