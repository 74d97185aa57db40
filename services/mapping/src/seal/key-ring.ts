import { createHash } from "node:crypto";

/** A local key behind an ARN. */
export interface RingKey {
  /** The first bytes of its digest: says which key sealed something, and nothing of the key. */
  readonly id: Buffer;
  readonly key: Buffer;
}

/** The local keys that stand for KMS keys, by ARN: the first seals, all of them open. */
export type KeyRing = ReadonlyMap<string, readonly [RingKey, ...RingKey[]]>;

export const KEY_ID_BYTES = 8;

export function ringKey(key: Buffer): RingKey {
  const id = createHash("sha256").update("penstock key id: ").update(key).digest();
  return { id: id.subarray(0, KEY_ID_BYTES), key };
}
