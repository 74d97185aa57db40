import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { PenstockError } from "@penstock/core";

/**
 * Header values at rest: AES-256-GCM under a key that lies outside the database.
 *
 *     version (1 byte, 1) · nonce (12) · tag (16) · ciphertext of JSON [[name, value], …]
 *
 * The function's name is associated data: what was sealed for one function can't be opened for another.
 */
export interface HeaderSeal {
  seal(functionName: string, headers: Readonly<Record<string, string>>): Buffer;
  /** @throws PenstockError `internal` when the key is another one or the bytes were changed. */
  open(functionName: string, sealed: Uint8Array): Record<string, string>;
}

/** Bytes of the key. */
export const SEAL_KEY_BYTES = 32;
const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + NONCE_BYTES + TAG_BYTES;

export function createHeaderSeal(key: Buffer): HeaderSeal {
  return {
    seal(functionName, headers) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", key, nonce);
      cipher.setAAD(associatedData(functionName));
      const plain = JSON.stringify(Object.entries(headers));
      const sealed = Buffer.concat([cipher.update(plain, "utf8"), cipher.final()]);
      return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), sealed]);
    },
    open(functionName, sealed) {
      try {
        return openWith(key, functionName, Buffer.from(sealed));
      } catch (cause) {
        throw new PenstockError(
          "internal",
          `The header values of function ${functionName} can't be opened: the encryption key is another one. ` +
            "Restore the key file, or put the function again with all its header values.",
          { cause },
        );
      }
    },
  };
}

function openWith(key: Buffer, functionName: string, sealed: Buffer): Record<string, string> {
  if (sealed.length < HEAD_BYTES || sealed[0] !== VERSION) throw new Error("unknown format");
  const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(associatedData(functionName));
  decipher.setAuthTag(sealed.subarray(1 + NONCE_BYTES, HEAD_BYTES));
  const plain = Buffer.concat([decipher.update(sealed.subarray(HEAD_BYTES)), decipher.final()]);
  return Object.fromEntries(JSON.parse(plain.toString("utf8")) as [string, string][]);
}

function associatedData(functionName: string): Buffer {
  return Buffer.from(`penstock function headers: ${functionName}`, "utf8");
}
