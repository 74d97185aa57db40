import type { ObserveFetch } from "@penstock/core";

/** What a fetcher did since it was made, in plain numbers. */
export class FetchCounters {
  readonly #observe: ObserveFetch;
  requests = 0;
  responses = 0;
  responseBytes = 0;
  failures = 0;
  sessionsOpened = 0;
  /** Requests on the second connection, for partitions that could not wait for the parked long poll. */
  wakes = 0;
  /** Partitions of answers that were no longer wanted: overtaken by a seek, a removal or another answer. */
  staleAnswers = 0;
  /** Answers with a throttle time (quotas), and these times together. */
  throttles = 0;
  throttledMs = 0;
  /** Record sets with damaged bytes that were fetched again. */
  damagedReads = 0;

  constructor(observe: ObserveFetch = () => {}) {
    this.#observe = observe;
  }

  /** A response came, this long after its request; a long poll that waits for records counts its wait. */
  answered(durationMs: number, bytes: number): void {
    this.responses++;
    this.responseBytes += bytes;
    this.#observe(durationMs, bytes);
  }

  throttled(throttleMs: number): void {
    this.throttles++;
    this.throttledMs += throttleMs;
  }
}
