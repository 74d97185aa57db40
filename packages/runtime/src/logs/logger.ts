/**
 * Structured logs: one JSON object a line, with `level`, `time` (ISO 8601), `service`, `msg` and the given fields.
 *
 * An error goes under the field `error`; its private cause is written too, since logs are where detail belongs. Control characters in
 * values come out escaped, so a record's key can't drive a terminal.
 */
import pino from "pino";
import { describeError } from "./describe-error.ts";
import { standardOutput } from "./standard-output.ts";

export interface Logger {
  debug(msg: string, fields?: object): void;
  info(msg: string, fields?: object): void;
  warn(msg: string, fields?: object): void;
  error(msg: string, fields?: object): void;
  /** A logger that adds these fields to each line. */
  child(fields: object): Logger;
}

export interface LoggerOptions {
  readonly service: string;
  /** Default `info`. */
  readonly level?: string | undefined;
  /** Default: the process's standard output, without blocking. */
  readonly destination?: { write(line: string): void };
  /** Bytes that wait for a stalled reader of the standard output. */
  readonly bufferBytesMax?: number;
}

const LEVELS = new Set(["debug", "info", "warn", "error"]);

/** Names of fields that are never shown, at the top or one level down. */
const HIDDEN_FIELDS = ["password", "authorization", "secret", "token", "cookie"];

export function createLogger(options: LoggerOptions): Logger {
  const destination = options.destination ?? standardOutput(options.bufferBytesMax);
  const level = options.level ?? "info";
  return wrap(
    pino(
      {
        level: LEVELS.has(level) ? level : "info",
        base: { service: options.service },
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
        serializers: { error: describeError },
        redact: {
          paths: HIDDEN_FIELDS.flatMap((name) => [name, `*.${name}`]),
          censor: "***",
        },
      },
      { write: (line: string) => destination.write(escapeControls(line)) },
    ),
  );
}

function wrap(logger: pino.Logger): Logger {
  return {
    debug: (msg, fields = {}) => logger.debug(fields, msg),
    info: (msg, fields = {}) => logger.info(fields, msg),
    warn: (msg, fields = {}) => logger.warn(fields, msg),
    error: (msg, fields = {}) => logger.error(fields, msg),
    child: (fields) => wrap(logger.child(fields)),
  };
}

/** JSON leaves DEL and the C1 controls as they are, and terminals obey some of those. They only occur inside strings. */
function escapeControls(line: string): string {
  return line.replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
