/**
 * The life of one service in a process, without the process: what happens on a signal, a deadline, a failure.
 *
 *     starting ──ready──▶ running ──signal──▶ stopping ──done──▶ exit 0
 *        │  └──────signal──────────────────────▲  │ └─deadline, second signal, failure──▶ exit 1
 *        └─failure──▶ exit 1
 *     anywhere: a bug that nobody caught ──▶ exit 70
 *
 * What is always true: `exit` is called once, and no later than the shutdown deadline after the first signal. A signal during the
 * start aborts it; a start that fails after that has nothing left to stop and counts as a clean end.
 */
import type { Logger } from "../logs/logger.ts";
import type { Service, StartService } from "./service.ts";

/** Stopped as told. */
export const EXIT_CLEAN = 0;
/** Could not start, or not stop in time. */
export const EXIT_FAILED = 1;
/** A bug (EX_SOFTWARE of sysexits.h). */
export const EXIT_BUG = 70;

export interface ServiceLifeOptions {
  readonly log: Logger;
  readonly env: NodeJS.ProcessEnv;
  readonly shutdownDeadlineMs: number;
  /** Ends the process. `isUrgent`: at once, whatever still waits to be written. */
  readonly exit: (code: number, isUrgent: boolean) => void;
}

export class ServiceLife {
  readonly #options: ServiceLifeOptions;
  readonly #abort = new AbortController();
  #service: Service | null = null;
  #deadline: NodeJS.Timeout | undefined;
  #hasEnded = false;

  constructor(options: ServiceLifeOptions) {
    this.#options = options;
  }

  async run(start: StartService): Promise<void> {
    const { log, env } = this.#options;
    try {
      this.#service = await start({ log, env, signal: this.#abort.signal });
    } catch (error) {
      if (this.#abort.signal.aborted) {
        log.info("stopped during the start", { error });
        this.#end(EXIT_CLEAN);
      } else {
        log.error("could not start", { error });
        this.#end(EXIT_FAILED);
      }
      return;
    }
    if (this.#abort.signal.aborted) await this.#stop(this.#service);
  }

  /** SIGTERM or SIGINT. */
  signal(name: string): void {
    const { log, shutdownDeadlineMs } = this.#options;
    if (this.#abort.signal.aborted) {
      log.warn("told to stop twice: ending at once", { signal: name });
      this.#end(EXIT_FAILED, true);
      return;
    }
    log.info("stopping", { signal: name, deadlineMs: shutdownDeadlineMs });
    this.#deadline = setTimeout(() => {
      log.error("not stopped by the deadline: ending anyway", { deadlineMs: shutdownDeadlineMs });
      this.#end(EXIT_FAILED, true);
    }, shutdownDeadlineMs);
    this.#abort.abort();
    if (this.#service !== null) void this.#stop(this.#service);
  }

  /** An exception or a rejection that nobody handled: state can't be trusted, another process adopts the work. */
  bug(error: unknown, origin: string): void {
    this.#options.log.error("a bug: ending the process", { origin, error });
    this.#end(EXIT_BUG, true);
  }

  async #stop(service: Service): Promise<void> {
    try {
      await service.stop();
    } catch (error) {
      this.#options.log.error("could not stop cleanly", { error });
      this.#end(EXIT_FAILED);
      return;
    }
    this.#options.log.info("stopped");
    this.#end(EXIT_CLEAN);
  }

  #end(code: number, isUrgent = false): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#deadline);
    this.#options.exit(code, isUrgent);
  }
}
