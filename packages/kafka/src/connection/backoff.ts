/** Delay before attempt number `failures` + 1: doubles from `baseMs` to `limitMs`, the upper half of it random. */
export function backoffMs(
  failures: number,
  baseMs: number,
  limitMs: number,
  random: () => number = Math.random,
): number {
  if (failures <= 0) return 0;
  const full = Math.min(limitMs, baseMs * 2 ** Math.min(failures - 1, 30));
  return full / 2 + (full / 2) * random();
}
