import type { Logger } from "../logs/logger.ts";

interface ExportResult {
  readonly code: number;
  readonly error?: Error | undefined;
}

interface Exporter<Batch> {
  export(batch: Batch, done: (result: ExportResult) => void): void;
}

/**
 * Says once when exports begin to fail and once when they work again. Exports themselves are untouched: a failed one is dropped, and
 * nothing else notices.
 */
export function watchExports<Batch, E extends Exporter<Batch>>(
  exporter: E & Exporter<Batch>,
  signal: "metrics" | "traces",
  log: Logger | undefined,
): E {
  if (log === undefined) return exporter;
  const send = exporter.export.bind(exporter);
  let isFailing = false;
  exporter.export = (batch, done) => {
    send(batch, (result) => {
      const hasFailed = result.code !== 0;
      if (hasFailed && !isFailing) {
        log.warn("telemetry is not exported", { signal, error: result.error });
      } else if (!hasFailed && isFailing) {
        log.info("telemetry is exported again", { signal });
      }
      isFailing = hasFailed;
      done(result);
    });
  };
  return exporter;
}
