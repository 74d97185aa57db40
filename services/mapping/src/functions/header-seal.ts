import { PenstockError } from "@penstock/core";
import { closeBox, openBox } from "../seal/aes-gcm-box.ts";

/**
 * Header values at rest: AES-256-GCM under a key that lies outside the database.
 *
 *     version (1 byte, 1) · box of JSON [[name, value], …]
 *
 * The function's name is associated data: what was sealed for one function can't be opened for another.
 */
export interface HeaderSeal {
  seal(functionName: string, headers: Readonly<Record<string, string>>): Buffer;
  /** @throws PenstockError `internal` when the key is another one or the bytes were changed. */
  open(functionName: string, sealed: Uint8Array): Record<string, string>;
}

const VERSION = 1;

export function createHeaderSeal(key: Buffer): HeaderSeal {
  return {
    seal(functionName, headers) {
      const plain = Buffer.from(JSON.stringify(Object.entries(headers)), "utf8");
      return Buffer.concat([Buffer.of(VERSION), closeBox(key, plain, associated(functionName))]);
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
  if (sealed[0] !== VERSION) throw new Error("unknown format");
  const plain = openBox(key, sealed.subarray(1), associated(functionName));
  return Object.fromEntries(JSON.parse(plain.toString("utf8")) as [string, string][]);
}

function associated(functionName: string): string {
  return `penstock function headers: ${functionName}`;
}
