import { ServerProcess, type ServerProcessOptions } from "./server-process.ts";
import type { Part } from "./supervisor.ts";

export interface ProcessPartOptions extends Omit<ServerProcessOptions, "farewell" | "stopSignal"> {
  /** True for the line of output that says: ready. */
  isReadyLine(line: string): boolean;
  readyLimitMs: number;
}

/** A part that is one process, says by a line of output that it is ready, and stops on SIGTERM. */
export function processPart(options: ProcessPartOptions): Part {
  return {
    name: options.name,
    async launch(signal) {
      let isReady = false;
      const launched = new ServerProcess({
        ...options,
        farewell: "TERM",
        stopSignal: "SIGTERM",
        onLine(line, isError) {
          isReady ||= options.isReadyLine(line);
          options.onLine?.(line, isError);
        },
      });
      await launched.ready(() => isReady || signal.aborted, options.readyLimitMs);
      return launched;
    },
  };
}
