import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/**
 * Bytes under a key: AES-256-GCM with a random nonce.
 *
 *     nonce (12) · tag (16) · ciphertext
 *
 * What was boxed with one text of associated data can't be opened with another, so nothing can be moved to another row.
 */

/** Bytes of a key. */
export const BOX_KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = NONCE_BYTES + TAG_BYTES;

export function closeBox(key: Buffer, plain: Buffer, associated: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(associated, "utf8"));
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
}

/** @throws Error when the key or the associated data is another one, or the bytes were changed. */
export function openBox(key: Buffer, box: Buffer, associated: string): Buffer {
  if (box.length < HEAD_BYTES) throw new Error("too few bytes for a sealed box");
  const nonce = box.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(associated, "utf8"));
  decipher.setAuthTag(box.subarray(NONCE_BYTES, HEAD_BYTES));
  return Buffer.concat([decipher.update(box.subarray(HEAD_BYTES)), decipher.final()]);
}

/** Bytes of a box over `plainBytes` bytes. */
export function boxBytes(plainBytes: number): number {
  return HEAD_BYTES + plainBytes;
}
