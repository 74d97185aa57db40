import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFilterSeal, KEY_ID_PLACE } from "./filter-seal.ts";
import { type RingKey, ringKey } from "./key-ring.ts";

const ARN = "arn:aws:kms:us-east-1:000000000000:key/a";
const [first, second] = [ringKey(randomBytes(32)), ringKey(randomBytes(32))];
const ringOf = (...keys: [RingKey, ...RingKey[]]) => createFilterSeal(new Map([[ARN, keys]]));
const old = ringOf(first);
const rotated = ringOf(second, first);
const patterns = ['{"value":{"a":["canary"]}}'];

const keyIdOf = (sealed: Buffer) =>
  sealed.subarray(KEY_ID_PLACE.from - 1).subarray(0, KEY_ID_PLACE.bytes);

describe("filter seal", () => {
  it("I-21: gives back any patterns, shows none of them, and never seals twice alike", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 8 }), { minLength: 1 }), (some) => {
        const [one, two] = [old.seal("m", ARN, some), old.seal("m", ARN, some)];
        expect(old.open("m", ARN, one)).toEqual({ patterns: some, error: null });
        for (const pattern of some) expect(one.includes(pattern)).toBe(false);
        expect(one.equals(two)).toBe(false);
      }),
    );
  });

  it("opens for the same mapping only, unchanged", () => {
    const sealed = old.seal("m", ARN, patterns);
    expect(old.open("another", ARN, sealed).error?.code).toBe("KMSInvalidStateException");
    for (let at = 0; at < sealed.length; at++) {
      const bent = Buffer.from(sealed);
      bent[at] = (bent[at] ?? 0) ^ 1;
      expect(old.open("m", ARN, bent).error?.code).toMatch(/^KMS\w+Exception$/);
    }
    for (const length of [0, 1, 20, sealed.length - 1]) {
      expect(old.open("m", ARN, sealed.subarray(0, length)).patterns).toBeNull();
    }
  });

  it("after a rotation seals with the newest key and opens what the older one sealed", () => {
    const before = old.seal("m", ARN, patterns);
    expect(rotated.open("m", ARN, before).patterns).toEqual(patterns);
    const after = rotated.seal("m", ARN, patterns);
    expect(keyIdOf(after)).toEqual(rotated.sealingKeyIds.get(ARN));
    expect(keyIdOf(before)).toEqual(old.sealingKeyIds.get(ARN));
    expect(old.open("m", ARN, after).error).toMatchObject({ code: "KMSNotFoundException" });
  });

  it("refuses a key that it does not have, and says which", () => {
    expect(() => old.seal("m", "arn:aws:kms:x", patterns)).toThrow(/"arn:aws:kms:x"/);
    const error = createFilterSeal(new Map()).open("m", ARN, old.seal("m", ARN, patterns)).error;
    expect(error?.message).toContain(ARN);
  });
});
