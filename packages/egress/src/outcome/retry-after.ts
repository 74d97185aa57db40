/** Longest wait that a function may ask for. */
export const RETRY_AFTER_MAX_MS = 5 * 60_000;

const SECONDS = /^\d{1,15}$/;
/** The preferred form of RFC 9110 §5.6.7; the obsolete two are taken as garbage. */
const HTTP_DATE =
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** The wait that a `Retry-After` header asks for, capped; null when it is absent or garbage. `wallMs`: Unix epoch. */
export function parseRetryAfter(value: string | undefined, wallMs: number): number | null {
  if (value === undefined) return null;
  const text = value.trim();
  if (SECONDS.test(text)) return Math.min(Number(text) * 1000, RETRY_AFTER_MAX_MS);
  if (!HTTP_DATE.test(text)) return null;
  const at = Date.parse(text);
  if (Number.isNaN(at)) return null;
  return Math.min(Math.max(0, at - wallMs), RETRY_AFTER_MAX_MS);
}
