/**
 * Messages of formats 0 and 1 as rows. As with record batches, what is accepted is exact: a message fills its size, the messages of a wrapper fill it,
 * checksums match, offsets ascend.
 *
 * These formats have no headers. Rows point to the first byte of the message for theirs: it is the highest of an offset that is checked to be below 2^56,
 * so it is 0, which is also how format 2 writes a count of none.
 */
import { crc32 } from "node:zlib";
import {
  COLUMN_END,
  COLUMN_HEADERS,
  COLUMN_KEY,
  COLUMN_KEY_LENGTH,
  COLUMN_OFFSET,
  COLUMN_VALUE,
  COLUMN_VALUE_LENGTH,
  COLUMNS,
  invariant,
} from "@penstock/core";
import { type BatchHead, codecOf, isLogAppendTime } from "../batch-head.ts";
import { CODEC_NONE } from "../codecs/inflate.ts";
import type { RecordTable } from "../read-records.ts";
import {
  AT_MAGIC,
  messageCheckedBytesOf,
  messageChecksumOf,
  messageTimestampOf,
  readMessageHead,
} from "./message-head.ts";

/** Where the compressed set of a wrapper is; text: what is wrong. */
export function wrappedSetOf(buffer: Buffer, head: BatchHead): Buffer | string {
  const keyLength = buffer.readInt32BE(head.records);
  const at = head.records + 4 + Math.max(0, keyLength);
  if (keyLength < -1 || at > head.end - 4) return "key length out of bounds";
  const valueLength = buffer.readInt32BE(at);
  if (valueLength < 0 || at + 4 + valueLength !== head.end) return "value length out of bounds";
  return buffer.subarray(at + 4, head.end);
}

export function isMessageIntact(buffer: Buffer, { start, end }: BatchHead): boolean {
  return crc32(messageCheckedBytesOf(buffer, start, end)) === messageChecksumOf(buffer, start);
}

/** Appends one message; `table` has room for it. Null, or what is wrong with it. */
export function readMessage(
  buffer: Buffer,
  head: BatchHead,
  offsetDelta: number,
  timestamp: number,
  table: RecordTable,
): string | null {
  const key = head.records + 4;
  const keyLength = buffer.readInt32BE(head.records);
  const at = key + Math.max(0, keyLength);
  if (keyLength < -1 || at > head.end - 4) return "key length out of bounds";
  const valueLength = buffer.readInt32BE(at);
  if (valueLength < -1 || at + 4 + Math.max(0, valueLength) !== head.end)
    return "value length out of bounds";
  const { columns, timestamps, rows } = table;
  const row = rows * COLUMNS;
  columns[row + COLUMN_OFFSET] = offsetDelta;
  columns[row + COLUMN_KEY] = key;
  columns[row + COLUMN_KEY_LENGTH] = keyLength;
  columns[row + COLUMN_VALUE] = at + 4;
  columns[row + COLUMN_VALUE_LENGTH] = valueLength;
  columns[row + COLUMN_HEADERS] = head.start;
  columns[row + COLUMN_END] = head.end;
  timestamps[rows] = timestamp;
  table.rows++;
  return null;
}

/** The messages are intact, so it is the offset of their wrapper, which has no checksum, that doesn't fit to them or to what comes before. */
export const WRAPPER_OFFSET = "offsets of the messages in a wrapper out of order";

/** What the first walk over the messages of a wrapper finds. */
export interface WrappedMessages {
  readonly count: number;
  readonly firstOffset: bigint;
  /** Added to the offset that a message says. */
  readonly offsetShift: bigint;
}

/** Checks that `bytes` are nothing but sound messages; text: what is wrong. */
export function scanWrapped(bytes: Buffer, wrapper: BatchHead): WrappedMessages | string {
  let count = 0;
  let first = 0n;
  let floor = 0n;
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at <= AT_MAGIC) return "message in a wrapper is incomplete";
    if (bytes[at + AT_MAGIC] !== wrapper.format) return "message of another format in a wrapper";
    const head = readMessageHead(bytes, at, bytes.length, floor);
    if (head === null) return "message in a wrapper is incomplete";
    if (typeof head === "string") return head;
    if (codecOf(head) !== CODEC_NONE) return "wrapper in a wrapper";
    if (!isMessageIntact(bytes, head)) return "checksum of a message in a wrapper does not match";
    if (count === 0) first = head.baseOffset;
    count++;
    floor = head.nextOffset;
    at = head.end;
  }
  if (count === 0) return "wrapper without messages";
  // In format 1 they count from some start of their own, so that a broker needn't rewrite them: the last one has the wrapper's offset.
  const offsetShift = wrapper.format === 0 ? 0n : wrapper.nextOffset - floor;
  const firstOffset = first + offsetShift;
  if (firstOffset < wrapper.baseOffset || floor + offsetShift !== wrapper.nextOffset)
    return WRAPPER_OFFSET;
  return { count, firstOffset, offsetShift };
}

/** Rows for those messages that aren't before `position`; `table` has room for all. Null, or what is wrong. */
export function readWrapped(
  bytes: Buffer,
  offsetShift: bigint,
  position: bigint,
  baseOffset: bigint,
  wrapperTimestamp: number | null,
  table: RecordTable,
): string | null {
  for (let at = 0; at < bytes.length; ) {
    const head = readMessageHead(bytes, at, bytes.length, 0n);
    invariant(head !== null && typeof head !== "string", "a message that was sound before");
    at = head.end;
    const offset = head.baseOffset + offsetShift;
    if (offset < position) continue;
    const timestamp = wrapperTimestamp ?? messageTimestampOf(bytes, head.start, head.format);
    const reason = readMessage(bytes, head, Number(offset - baseOffset), timestamp, table);
    if (reason !== null) return reason;
  }
  return null;
}

/** The time of all messages of a wrapper that the broker stamped; null: each has its own. */
export function wrapperTimestampOf(buffer: Buffer, wrapper: BatchHead): number | null {
  return isLogAppendTime(wrapper)
    ? messageTimestampOf(buffer, wrapper.start, wrapper.format)
    : null;
}
