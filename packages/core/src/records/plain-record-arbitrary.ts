import fc from "fast-check";
import type { PlainRecord } from "./record-batch-of.ts";

const bytes = (maxLength: number): fc.Arbitrary<Buffer> =>
  fc.oneof(
    fc.uint8Array({ maxLength }).map((array) => Buffer.from(array)),
    fc.string({ unit: "binary", maxLength: maxLength / 4 }).map((text) => Buffer.from(text)),
    fc
      .constantFrom("", "__proto__", "\0\x1b[31m", '"\\\n', "\u2028", "0")
      .map((t) => Buffer.from(t)),
  );

/** Any record that Kafka can hold: null and empty parts, bytes that are no text, duplicate and empty header names. */
export function plainRecords(maxLength = 12): fc.Arbitrary<PlainRecord[]> {
  const record = fc.record({
    step: fc.integer({ min: 1, max: 1000 }),
    timestampMs: fc.oneof(
      fc.integer({ min: 0, max: 2 ** 43 }),
      fc.maxSafeNat(),
      fc.constantFrom(-1, 0, 9_999, 10_000, 99_999_999, 100_000_000, 2 ** 62),
    ),
    key: fc.option(bytes(400)),
    value: fc.option(bytes(400)),
    headers: fc.array(fc.record({ key: bytes(24), value: fc.option(bytes(24)) }), { maxLength: 4 }),
  });
  const base = fc.oneof(
    fc.bigInt({ min: 0n, max: 200_000n }),
    fc.bigInt({ min: 0n, max: 2n ** 62n }),
    fc.bigInt({ min: 2n ** 53n - 2000n, max: 2n ** 53n + 2000n }),
  );
  return fc.tuple(base, fc.array(record, { minLength: 1, maxLength })).map(([start, steps]) => {
    let offset = start;
    return steps.map(({ step, ...rest }) => {
      offset += BigInt(step);
      return { offset, ...rest };
    });
  });
}
