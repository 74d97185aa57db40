/**
 * How long to wait before the next call: exponential with jitter, so that lanes that failed together don't come back together.
 * AWS publishes no constants; ours are 100 ms, doubled up to 60 s.
 */
export const RETRY_DELAY_MIN_MS = 100;
export const RETRY_DELAY_MAX_MS = 60_000;
/** A Retry-After longer than this is taken as this. */
export const RETRY_AFTER_MAX_MS = 300_000;

/**
 * Delay after the `failures`-th failure in a row (from 1), ms. Half of it is fixed and half random, never below
 * {@link RETRY_DELAY_MIN_MS} and never above {@link RETRY_DELAY_MAX_MS}. `random` is uniform in [0, 1).
 */
export function retryDelayMs(failures: number, random: number): number {
  const doublings = Math.min(Math.max(failures, 1) - 1, 20);
  const ceiling = Math.min(RETRY_DELAY_MAX_MS, RETRY_DELAY_MIN_MS * 2 * 2 ** doublings);
  return Math.max(RETRY_DELAY_MIN_MS, ceiling / 2 + (ceiling / 2) * random);
}
