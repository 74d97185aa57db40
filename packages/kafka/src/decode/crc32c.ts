import { crc32c as checksum, Reader } from "@platformatic/kafka";

/** CRC-32C of the bytes. The library copies a plain Buffer before it hashes it; the buffer of a Reader is hashed in place. */
export function crc32c(bytes: Buffer): number {
  return checksum(Reader.from(bytes).buffer);
}
