import { PenstockError } from "@penstock/core";
import { SECRET_BYTES_MAX, type SecretErrorCode } from "./secret-reader.ts";

/** A failure about a secret: names the reference, says what is wrong, never shows what is inside. */
export function secretError(
  code: SecretErrorCode,
  uri: string,
  problem: string,
  cause?: unknown,
): PenstockError {
  return new PenstockError(code, `Secret ${uri}: ${problem}.`, { cause });
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** The text behind bytes from outside, within the limit. */
export function secretText(uri: string, bytes: Uint8Array): string {
  if (bytes.length > SECRET_BYTES_MAX) {
    throw secretError("secretMalformed", uri, `has more than ${SECRET_BYTES_MAX} bytes`);
  }
  try {
    return decoder.decode(bytes);
  } catch {
    // The decoder's error says nothing that the message doesn't.
    throw secretError("secretMalformed", uri, "is not UTF-8 text");
  }
}
