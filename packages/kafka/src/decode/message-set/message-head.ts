/**
 * Messages of the formats before record batches: 0 (before Kafka 0.10) and 1 (0.10), which brokers keep as they are in topics that were written
 * before an upgrade, or whose `message.format.version` says so.
 *
 *   offset 8 · size 4 · crc 4 · magic 1 · attributes 1 · timestamp 8 (format 1) · key length 4 · key · value length 4 · value
 *
 * A message with a codec is a wrapper: its value is a compressed set of messages, and its offset that of the last one in it.
 */
import type { BatchHead } from "../batch-head.ts";

/** Offset and size, which the size doesn't count. */
const PREFIX_BYTES = 12;
const AT_SIZE = 8;
const AT_CRC = 12;
/** First byte that the checksum covers. */
export const AT_MAGIC = 16;
const AT_ATTRIBUTES = 17;
const AT_TIMESTAMP = 18;

const CODEC_MASK = 7;
/** Codec and, in format 1, the type of the timestamp. */
const ATTRIBUTES_MASK = [CODEC_MASK, 15] as const;
/** An offset whose first byte is 0, which then also stands for "no headers" (see `readMessage`). */
const OFFSET_MAX = 2n ** 56n - 1n;

type MessageFormat = 0 | 1;

/** Of a message without key and value, with offset and size. */
function messageBytesMin(format: MessageFormat): number {
  return format === 0 ? 26 : 34;
}

/**
 * The head of the message at `start`, where at least its magic byte is there. Null: it doesn't end before `end`; text: what is wrong with it. `floor`:
 * offset after the message before it.
 */
export function readMessageHead(
  buffer: Buffer,
  start: number,
  end: number,
  floor: bigint,
): BatchHead | string | null {
  const format = (buffer[start + AT_MAGIC] as number) === 0 ? 0 : 1;
  const offset = buffer.readBigInt64BE(start);
  const size = buffer.readInt32BE(start + AT_SIZE);
  if (size < messageBytesMin(format) - PREFIX_BYTES) return "message size out of bounds";
  if (offset > OFFSET_MAX) return "message offset out of bounds";
  if (offset < floor) return "message offset out of order";
  const messageEnd = start + PREFIX_BYTES + size;
  if (messageEnd > end) return null;
  const attributes = (buffer[start + AT_ATTRIBUTES] as number) & ATTRIBUTES_MASK[format];
  const isWrapper = (attributes & CODEC_MASK) !== 0;
  return {
    format,
    start,
    records: start + AT_TIMESTAMP + (format === 0 ? 0 : 8),
    end: messageEnd,
    // Where a wrapper begins is known when it has been inflated.
    baseOffset: isWrapper ? floor : offset,
    nextOffset: offset + 1n,
    lastOffsetDelta: 0,
    count: 1,
    attributes,
  };
}

/** Whether the message at `start`, which may be cut off, is there far enough to show that it is no wrapper. */
export function isPlainMessage(buffer: Buffer, start: number, end: number): boolean {
  return (
    end - start > AT_ATTRIBUTES && ((buffer[start + AT_ATTRIBUTES] as number) & CODEC_MASK) === 0
  );
}

export function messageChecksumOf(buffer: Buffer, start: number): number {
  return buffer.readUInt32BE(start + AT_CRC);
}

export function messageCheckedBytesOf(buffer: Buffer, start: number, end: number): Buffer {
  return buffer.subarray(start + AT_MAGIC, end);
}

/** -1 in format 0, which has none. */
export function messageTimestampOf(buffer: Buffer, start: number, format: number): number {
  return format === 0 ? -1 : Number(buffer.readBigInt64BE(start + AT_TIMESTAMP));
}
