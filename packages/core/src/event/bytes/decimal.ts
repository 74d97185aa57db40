/**
 * Decimal digits from tables of four: no string is made, no division per digit.
 */

/** "0000" … "9999" as little-endian int32. */
const FOUR_DIGITS = new Int32Array(10_000);
for (let value = 0; value < 10_000; value++) {
  const [a, b, c, d] = [value / 1000, value / 100, value / 10, value].map(
    (part) => 48 + (Math.floor(part) % 10),
  ) as [number, number, number, number];
  FOUR_DIGITS[value] = a | (b << 8) | (c << 16) | (d << 24);
}

/** Largest value that {@link writeDecimal} takes: 2^53 - 1. */
export const DECIMAL_MAX: number = Number.MAX_SAFE_INTEGER;

const EIGHT_DIGITS = 100_000_000;

/** Writes an integer 0 ≤ value ≤ {@link DECIMAL_MAX} in decimal; returns the position behind it. */
export function writeDecimal(view: DataView, at: number, value: number): number {
  if (value < EIGHT_DIGITS) return writeLeading(view, at, value);
  const high = Math.floor(value / EIGHT_DIGITS);
  const behind = writeLeading(view, at, high);
  return writeEight(view, behind, value - high * EIGHT_DIGITS);
}

/** Without leading zeros; value < 10^8. */
function writeLeading(view: DataView, at: number, value: number): number {
  if (value < 10_000) return writeLeadingFour(view, at, value);
  const high = (value / 10_000) | 0;
  const behind = writeLeadingFour(view, at, high);
  view.setInt32(behind, FOUR_DIGITS[value - high * 10_000] as number, true);
  return behind + 4;
}

function writeLeadingFour(view: DataView, at: number, value: number): number {
  const digits = value < 10 ? 1 : value < 100 ? 2 : value < 1000 ? 3 : 4;
  view.setInt32(at, (FOUR_DIGITS[value] as number) >>> ((4 - digits) * 8), true);
  return at + digits;
}

function writeEight(view: DataView, at: number, value: number): number {
  const high = (value / 10_000) | 0;
  view.setInt32(at, FOUR_DIGITS[high] as number, true);
  view.setInt32(at + 4, FOUR_DIGITS[value - high * 10_000] as number, true);
  return at + 8;
}
