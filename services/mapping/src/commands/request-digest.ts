import { createHmac, hkdfSync } from "node:crypto";
import { canonicalText } from "./canonical-text.ts";

/** What is remembered of a request's body, to know it again: equal for equal bodies. */
export type RequestDigest = (body: unknown) => Buffer;

const PURPOSE = "penstock request digest";
const KEY_BYTES = 32;

/**
 * A keyed digest, since bodies may hold secrets (header values, filter patterns): whoever reads the database can't try guesses. All replicas need
 * the same key.
 *
 * @param sealKey the installation's key; one that serves this purpose alone is derived from it
 */
export function createRequestDigest(sealKey: Buffer): RequestDigest {
  const key = Buffer.from(hkdfSync("sha256", sealKey, "", PURPOSE, KEY_BYTES));
  return (body) => createHmac("sha256", key).update(canonicalText(body)).digest();
}
