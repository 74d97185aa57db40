/**
 * The fixed part of record batches, format v2 (https://kafka.apache.org/documentation/#recordbatch).
 *
 *   baseOffset 8 · length 4 · leaderEpoch 4 · magic 1 · crc 4 · attributes 2 · lastOffsetDelta 4 · baseTimestamp 8 · maxTimestamp 8 ·
 *   producerId 8 · producerEpoch 2 · baseSequence 4 · count 4 · records
 *
 * Reading the heads is enough to know where the next fetch starts, which is why it is a step of its own. Messages of the formats before (0 and 1) are
 * heads too, each a batch of its own; the two may follow each other in one answer.
 *
 * No checksum covers offset, length and format of a batch. So an offset counts only as far as its neighbours agree with it: of two heads that contradict
 * each other neither is given out, and what has no neighbour is left to `HeadDoubt`.
 */
import { CODEC_NONE } from "./codecs/inflate.ts";
import { crc32c } from "./crc32c.ts";
import { isPlainMessage, readMessageHead } from "./message-set/message-head.ts";
import { RECORD_BYTES_MIN } from "./read-records.ts";

export const HEAD_BYTES = 61;
/** Base offset and length, which the length doesn't count. */
const PREFIX_BYTES = 12;
const OFFSET_BYTES = 8;
const AT_LENGTH = 8;
const AT_MAGIC = 16;
const AT_CRC = 17;
/** First byte that the checksum covers. */
const AT_ATTRIBUTES = 21;
const AT_LAST_OFFSET_DELTA = 23;
const AT_BASE_TIMESTAMP = 27;
const AT_MAX_TIMESTAMP = 35;
const AT_PRODUCER_ID = 43;
const AT_COUNT = 57;

export const FORMAT_BATCHES = 2;
const CODEC_MASK = 7;
const LOG_APPEND_TIME = 8;
const TRANSACTIONAL = 16;
const CONTROL = 32;

export interface BatchHead {
  /** 2, or the format of a message: 0 or 1. */
  readonly format: number;
  /** Position of the batch, of its records, and the position after it. */
  readonly start: number;
  readonly records: number;
  readonly end: number;
  readonly baseOffset: bigint;
  /** Offset after the last one that the batch covers: compaction may have removed the records there. */
  readonly nextOffset: bigint;
  readonly lastOffsetDelta: number;
  readonly count: number;
  readonly attributes: number;
}

/** What can't be read as a batch. `to` null: the bytes don't even say credibly where it would end. */
export interface BrokenBatch {
  readonly baseOffset: bigint;
  readonly to: bigint | null;
  readonly reason: string;
  /** Reading it again may give other bytes: they may have been damaged on the way. */
  readonly isTransient: boolean;
}

export interface BatchHeads {
  readonly heads: readonly BatchHead[];
  /** After the last of `heads`; nothing behind it is read. */
  readonly broken: BrokenBatch | null;
  /** Where a cut-off batch at the end begins; null when there is none, or it doesn't say: the last of `heads` ends there or before. */
  readonly follower: bigint | null;
}

/**
 * Reads the heads of the complete batches in `buffer[start, end)`, which was fetched at `position`. A cut-off batch at the end is normal and left out.
 */
export function readBatchHeads(
  buffer: Buffer,
  start: number,
  end: number,
  position = 0n,
): BatchHeads {
  const heads: BatchHead[] = [];
  let at = start;
  let floor = 0n;
  let follower: bigint | null = null;
  while (end - at >= OFFSET_BYTES) {
    const baseOffset = buffer.readBigInt64BE(at);
    if (baseOffset < floor) return outOfOrder(heads, baseOffset, position);
    if (end - at <= AT_MAGIC) {
      // An old format may go on with a wrapper, which says where it ends.
      follower = heads.at(-1)?.format === FORMAT_BATCHES ? baseOffset : null;
      break;
    }
    const length = buffer.readInt32BE(at + AT_LENGTH);
    const magic = buffer[at + AT_MAGIC] as number;
    const broken = (reason: string, to: bigint | null, isTransient: boolean): BatchHeads => ({
      heads,
      broken: { baseOffset, to, reason, isTransient },
      follower: null,
    });
    if (magic < FORMAT_BATCHES) {
      const head = readMessageHead(buffer, at, end, floor);
      if (head === null) {
        follower = isPlainMessage(buffer, at, end) ? baseOffset : null;
        break;
      }
      if (typeof head === "string") return broken(head, null, true);
      heads.push(head);
      floor = head.nextOffset;
      at = head.end;
      continue;
    }
    if (magic !== FORMAT_BATCHES) return broken(`unknown record format ${magic}`, null, true);
    if (length < HEAD_BYTES - PREFIX_BYTES) return broken("batch length out of bounds", null, true);
    const batchEnd = at + PREFIX_BYTES + length;
    if (batchEnd > end) {
      follower = baseOffset;
      break;
    }
    const lastOffsetDelta = buffer.readInt32BE(at + AT_LAST_OFFSET_DELTA);
    const count = buffer.readInt32BE(at + AT_COUNT);
    const attributes = buffer.readInt16BE(at + AT_ATTRIBUTES);
    if (lastOffsetDelta < 0) return broken("last offset out of bounds", null, true);
    const nextOffset = baseOffset + BigInt(lastOffsetDelta) + 1n;
    const isFlat = (attributes & CODEC_MASK) === CODEC_NONE;
    const roomFor = isFlat ? (length - (HEAD_BYTES - PREFIX_BYTES)) / RECORD_BYTES_MIN : Infinity;
    if (count < 0 || count - 1 > lastOffsetDelta || count > roomFor)
      return broken("record count out of bounds", nextOffset, true);
    heads.push({
      format: FORMAT_BATCHES,
      start: at,
      records: at + HEAD_BYTES,
      end: batchEnd,
      baseOffset,
      nextOffset,
      lastOffsetDelta,
      count,
      attributes,
    });
    floor = nextOffset;
    at = batchEnd;
  }
  if (heads.length === 0 && end > start)
    return {
      heads,
      broken: { baseOffset: -1n, to: null, reason: "batch is incomplete", isTransient: true },
      follower: null,
    };
  return { heads, broken: null, follower };
}

/**
 * After `heads` comes a batch that begins before the last of them ends: one of both lies, and it is either. Only if it begins before the last one could,
 * that one is not to blame.
 */
function outOfOrder(heads: BatchHead[], baseOffset: bigint, position: bigint): BatchHeads {
  const reason = "batch offset out of order";
  const before = heads.at(-2)?.nextOffset ?? position;
  const to = baseOffset > before && baseOffset > position ? baseOffset : null;
  return {
    heads: to === null ? heads : heads.slice(0, -1),
    broken: { baseOffset, to, reason, isTransient: true },
    follower: null,
  };
}

export function codecOf(head: BatchHead): number {
  return head.attributes & CODEC_MASK;
}

export function isLogAppendTime(head: BatchHead): boolean {
  return (head.attributes & LOG_APPEND_TIME) !== 0;
}

export function isTransactional(head: BatchHead): boolean {
  return (head.attributes & TRANSACTIONAL) !== 0;
}

export function isControl(head: BatchHead): boolean {
  return (head.attributes & CONTROL) !== 0;
}

/** LOG_APPEND_TIME: the time of every record; otherwise what the deltas of the records are added to. */
export function baseTimestampOf(buffer: Buffer, head: BatchHead): number {
  const at = isLogAppendTime(head) ? AT_MAX_TIMESTAMP : AT_BASE_TIMESTAMP;
  return Number(buffer.readBigInt64BE(head.start + at));
}

export function producerIdOf(buffer: Buffer, head: BatchHead): bigint {
  return buffer.readBigInt64BE(head.start + AT_PRODUCER_ID);
}

/** Whether the bytes of a batch have the checksum that it names. */
export function isBatchIntact(buffer: Buffer, head: BatchHead): boolean {
  const checked = buffer.subarray(head.start + AT_ATTRIBUTES, head.end);
  return crc32c(checked) === buffer.readUInt32BE(head.start + AT_CRC);
}
