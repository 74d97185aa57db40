import { createHash, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { canonicalText } from "./canonical-text.ts";
import { createRequestDigest } from "./request-digest.ts";

const key = randomBytes(32);
const body = { name: "orders", headers: { authorization: "guessable" } };

describe("request digest", () => {
  it("is the same for the same body, in every replica with the key", () => {
    const reordered = { headers: { authorization: "guessable" }, name: "orders" };
    const digest = createRequestDigest(key)(body);
    expect(createRequestDigest(Buffer.from(key))(reordered)).toEqual(digest);
    expect(createRequestDigest(key)({ ...body, name: "other" })).not.toEqual(digest);
  });

  it("I-21: can't be computed without the key, so that guesses of a secret can't be tried", () => {
    const digest = createRequestDigest(key)(body);
    expect(createRequestDigest(randomBytes(32))(body)).not.toEqual(digest);
    expect(createHash("sha256").update(canonicalText(body)).digest()).not.toEqual(digest);
  });
});
