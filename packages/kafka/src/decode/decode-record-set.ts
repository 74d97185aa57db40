/**
 * The records of one partition in one fetch response, from bytes to `RecordBatch`es.
 *
 *   heads ─▶ checksum ─▶ control? aborted? before the position? ─▶ inflate ─▶ rows
 *
 * What comes out covers `[position, nextOffset)` without a hole: offsets that carry nothing for a reader of committed data (control
 * batches, aborted transactions, what compaction removed) lie inside the range of a neighbour, or of an empty batch at the end.
 * Uncompressed batches that follow each other become one, since they share their buffer; a compressed one has its own.
 *
 * Nothing that the bytes hold makes it throw. What can't be read ends the walk and is reported with its range.
 */
import { type RecordBatch, SharedMemory, type TimestampType } from "@penstock/core";
import { type AbortedTransaction, AbortedTransactions } from "./aborted-transactions.ts";
import {
  type BatchHead,
  type BatchHeads,
  baseTimestampOf,
  codecOf,
  FORMAT_BATCHES,
  isBatchIntact,
  isControl,
  isLogAppendTime,
  isTransactional,
  producerIdOf,
} from "./batch-head.ts";
import { CODEC_NONE, inflate } from "./codecs/inflate.ts";
import { InflateFailure } from "./codecs/inflate-failure.ts";
import { CountedMemory, type CountMemory } from "./counted-memory.ts";
import { messageTimestampOf } from "./message-set/message-head.ts";
import {
  isMessageIntact,
  readMessage,
  readWrapped,
  scanWrapped,
  WRAPPER_OFFSET,
  wrappedSetOf,
  wrapperTimestampOf,
} from "./message-set/read-messages.ts";
import { newTable, RECORD_BYTES_MIN, type RecordTable, readRecords, rows } from "./read-records.ts";

export interface RecordSet {
  readonly buffer: Buffer;
  readonly heads: BatchHeads;
  /** First offset that is wanted. Kafka gives whole batches: records before it are dropped. */
  readonly position: bigint;
  readonly aborted: readonly AbortedTransaction[];
  /** End of the log, -1 when unknown: a damaged batch is not believed when it claims to reach beyond. */
  readonly highWatermark: bigint;
  /** Memory of `buffer`, shared by all partitions of the response. */
  readonly memory: CountedMemory;
}

export interface DecodeLimits {
  /** Most bytes that one batch may inflate to. */
  readonly inflatedBytesMax: number;
  readonly countMemory: CountMemory;
}

/** Records of `[from, to)` can't be given. */
export interface Undecodable {
  readonly from: bigint;
  readonly to: bigint;
  readonly reason: string;
  /** Fetching it again may help: the bytes are damaged, and perhaps only on their way here. */
  readonly isTransient: boolean;
}

export interface DecodedRecordSet {
  readonly batches: readonly RecordBatch[];
  /** Where the next fetch starts when all was readable. */
  readonly nextOffset: bigint;
  readonly undecodable: Undecodable | null;
}

const ABORT_MARKER = 0;
const CHECKSUM = "checksum does not match";
const INT32_MAX = 0x7fff_ffff;

export function decodeRecordSet(set: RecordSet, limits: DecodeLimits): DecodedRecordSet {
  return new Walk(set, limits).run();
}

/** Rows to come for the uncompressed batches of a set: what `CountedMemory` of a response must include. */
export function flatRowCount(heads: BatchHeads): number {
  let rows = 0;
  for (const head of heads.heads) if (codecOf(head) === CODEC_NONE) rows += head.count;
  return rows;
}

/** Where the next fetch of a partition starts, by the heads alone. */
export function nextOffsetOf(heads: BatchHeads, position: bigint): bigint {
  const last = heads.heads.at(-1);
  return last !== undefined && last.nextOffset > position ? last.nextOffset : position;
}

/** Consecutive uncompressed batches on their way to become one. */
interface Run {
  readonly baseOffset: bigint;
  readonly firstRow: number;
  readonly timestampType: TimestampType;
  nextOffset: bigint;
  bytes: number;
}

class Walk {
  readonly #set: RecordSet;
  readonly #limits: DecodeLimits;
  readonly #aborted: AbortedTransactions;
  readonly #batches: RecordBatch[] = [];
  /** First offset that no finished batch covers yet. */
  #coverFrom: bigint;
  /** First offset that was not looked at yet. */
  #passed: bigint;
  #table: RecordTable | null = null;
  #run: Run | null = null;

  constructor(set: RecordSet, limits: DecodeLimits) {
    this.#set = set;
    this.#limits = limits;
    this.#aborted = new AbortedTransactions(set.aborted);
    this.#coverFrom = set.position;
    this.#passed = set.position;
  }

  run(): DecodedRecordSet {
    const { heads, broken } = this.#set.heads;
    for (const head of heads) {
      const problem = this.#step(head);
      if (problem !== null) return this.#end(problem);
    }
    if (broken === null) return this.#end(null);
    const { to, reason, isTransient } = broken;
    return this.#end(this.#undecodable(this.#passed, to ?? -1n, reason, isTransient));
  }

  #step(head: BatchHead): Undecodable | null {
    const { buffer, position } = this.#set;
    this.#aborted.reach(head.nextOffset - 1n);
    const isMessage = head.format !== FORMAT_BATCHES;
    // Its offset may be damaged as well, and no checksum would show it: what is missing begins where the batch before ended.
    if (!(isMessage ? isMessageIntact(buffer, head) : isBatchIntact(buffer, head)))
      return this.#undecodable(this.#passed, this.#credibleEnd(head), CHECKSUM, true);
    let reason: string | null = null;
    if (isControl(head)) reason = this.#passControl(head);
    else if (head.count > 0 && head.nextOffset > position && !this.#isAborted(head))
      reason = this.#add(head, isMessage);
    if (reason === WRAPPER_OFFSET) {
      // Which offset is wrong isn't known, its own or one before: all of them are read again.
      this.#forget();
      return this.#undecodable(position, this.#credibleEnd(head), reason, true);
    }
    if (reason !== null) {
      const from = later(head.baseOffset, this.#passed);
      return this.#undecodable(from, head.nextOffset, reason, false);
    }
    this.#passed = later(head.nextOffset, this.#passed);
    return null;
  }

  #add(head: BatchHead, isMessage: boolean): string | null {
    if (codecOf(head) === CODEC_NONE)
      return isMessage ? this.#addMessage(head) : this.#addFlat(head);
    return isMessage ? this.#addWrapper(head) : this.#addInflated(head);
  }

  #isAborted(head: BatchHead): boolean {
    return isTransactional(head) && this.#aborted.isAborted(producerIdOf(this.#set.buffer, head));
  }

  /** A control record's key is its version and its type, int16 each. */
  #passControl(head: BatchHead): string | null {
    const { buffer } = this.#set;
    if (head.count === 0) return null;
    if (codecOf(head) !== CODEC_NONE) return "compressed control batch";
    const table = newTable(head.count);
    const reason = readRecords(buffer, this.#section(head, buffer, head.records, 0n), table);
    if (reason !== null) return reason;
    const [, key = 0, keyLength = 0] = table.columns;
    if (keyLength < 4) return "control record without a type";
    if (buffer.readInt16BE(key + 2) === ABORT_MARKER) this.#aborted.end(producerIdOf(buffer, head));
    return null;
  }

  #addFlat(head: BatchHead): string | null {
    const { buffer, heads } = this.#set;
    this.#table ??= newTable(flatRowCount(heads));
    const run = this.#runFor(head);
    const section = this.#section(head, buffer, head.records, run.baseOffset);
    const reason = readRecords(buffer, section, this.#table);
    if (reason !== null) return reason;
    run.nextOffset = head.nextOffset;
    run.bytes += head.end - head.records;
    return null;
  }

  /** One message of format 0 or 1, not compressed. */
  #addMessage(head: BatchHead): string | null {
    const { buffer, heads } = this.#set;
    this.#table ??= newTable(flatRowCount(heads));
    const run = this.#runFor(head);
    const delta = Number(head.baseOffset - run.baseOffset);
    const timestamp = messageTimestampOf(buffer, head.start, head.format);
    const reason = readMessage(buffer, head, delta, timestamp, this.#table);
    if (reason !== null) return reason;
    run.nextOffset = head.nextOffset;
    run.bytes += head.end - head.records;
    return null;
  }

  /** A compressed set of messages of format 0 or 1. */
  #addWrapper(head: BatchHead): string | null {
    const { buffer, position } = this.#set;
    this.#finishRun();
    const packed = wrappedSetOf(buffer, head);
    if (typeof packed === "string") return packed;
    const bytes = this.#inflate(head, packed);
    if (typeof bytes === "string") return bytes;
    const found = scanWrapped(bytes, head);
    if (typeof found === "string") return found;
    const { count, firstOffset, offsetShift } = found;
    const baseOffset = this.#baseFor({ ...head, baseOffset: later(firstOffset, position) });
    const table = newTable(count);
    const timestamp = wrapperTimestampOf(buffer, head);
    const reason = readWrapped(bytes, offsetShift, position, baseOffset, timestamp, table);
    return reason ?? this.#addTable(head, baseOffset, bytes, table);
  }

  /** The bytes, or why there are none. */
  #inflate(head: BatchHead, packed: Buffer): Buffer | string {
    try {
      return inflate(codecOf(head), packed, this.#limits.inflatedBytesMax);
    } catch (error) {
      if (error instanceof InflateFailure) return error.message;
      throw error;
    }
  }

  #addInflated(head: BatchHead): string | null {
    this.#finishRun();
    const bytes = this.#inflate(head, this.#set.buffer.subarray(head.records, head.end));
    if (typeof bytes === "string") return bytes;
    if (head.count > bytes.length / RECORD_BYTES_MIN) return "record count out of bounds";
    const baseOffset = this.#baseFor(head);
    const table = newTable(head.count);
    const reason = readRecords(bytes, this.#section(head, bytes, 0, baseOffset), table);
    return reason ?? this.#addTable(head, baseOffset, bytes, table);
  }

  /** A batch of its own, for rows that point into inflated bytes. */
  #addTable(head: BatchHead, baseOffset: bigint, bytes: Buffer, table: RecordTable): null {
    if (table.rows === 0) return null;
    const { countMemory } = this.#limits;
    this.#batches.push({
      ...rows(table, 0),
      baseOffset,
      nextOffset: head.nextOffset,
      buffer: bytes,
      timestampType: timestampTypeOf(head),
      bytes: bytes.length,
      // All of the memory behind it, of which it may be a view.
      memory: new CountedMemory(
        bytes.buffer.byteLength,
        table.timestamps.length,
        countMemory,
      ).hold(),
    });
    this.#coverFrom = head.nextOffset;
    return null;
  }

  #section(head: BatchHead, buffer: Buffer, start: number, baseOffset: bigint) {
    const skipped = this.#set.position - head.baseOffset;
    return {
      start,
      end: buffer === this.#set.buffer ? head.end : buffer.length,
      count: head.count,
      lastOffsetDelta: head.lastOffsetDelta,
      firstOffsetDelta: skipped > 0n && !isControl(head) ? Number(skipped) : 0,
      offsetShift: isControl(head) ? 0 : Number(head.baseOffset - baseOffset),
      baseTimestamp: baseTimestampOf(this.#set.buffer, head),
      isLogAppendTime: isLogAppendTime(head),
    };
  }

  /** The open run when this batch can join it, otherwise a new one. */
  #runFor(head: BatchHead): Run {
    const timestampType = timestampTypeOf(head);
    if (
      this.#run !== null &&
      this.#run.timestampType === timestampType &&
      head.nextOffset - this.#run.baseOffset <= INT32_MAX
    )
      return this.#run;
    this.#finishRun();
    const baseOffset = this.#baseFor(head);
    const firstRow = this.#table?.rows ?? 0;
    this.#run = { baseOffset, firstRow, timestampType, nextOffset: baseOffset, bytes: 0 };
    return this.#run;
  }

  /** The first offset of a new batch: where the last one ended, unless the hole in between is wider than offset deltas are. */
  #baseFor(head: BatchHead): bigint {
    if (head.nextOffset - this.#coverFrom > INT32_MAX && head.baseOffset > this.#coverFrom)
      this.#coverTo(head.baseOffset);
    return this.#coverFrom;
  }

  #finishRun(): void {
    const run = this.#run;
    const table = this.#table;
    this.#run = null;
    if (run === null || table === null || table.rows === run.firstRow) return;
    this.#batches.push({
      ...rows(table, run.firstRow),
      baseOffset: run.baseOffset,
      nextOffset: run.nextOffset,
      buffer: this.#set.buffer,
      timestampType: run.timestampType,
      bytes: run.bytes,
      memory: this.#set.memory.hold(),
    });
    this.#coverFrom = run.nextOffset;
  }

  #forget(): void {
    for (const { memory } of this.#batches.splice(0)) memory.release();
    this.#run = null;
    this.#coverFrom = this.#set.position;
    this.#passed = this.#set.position;
  }

  #coverTo(offset: bigint): void {
    if (offset <= this.#coverFrom) return;
    this.#batches.push(emptyBatch(this.#coverFrom, offset));
    this.#coverFrom = offset;
  }

  /** A damaged batch may lie about its end too: not beyond what follows it. */
  #credibleEnd(head: BatchHead): bigint {
    const { heads, broken, follower } = this.#set.heads;
    const next =
      heads[heads.indexOf(head) + 1]?.baseOffset ?? broken?.baseOffset ?? follower ?? -1n;
    return next > this.#passed && next < head.nextOffset ? next : head.nextOffset;
  }

  #undecodable(from: bigint, end: bigint, reason: string, isTransient: boolean): Undecodable {
    const { highWatermark } = this.#set;
    const to = highWatermark >= 0n && highWatermark < end ? highWatermark : end;
    return { from, to: to > from ? to : from + 1n, reason, isTransient };
  }

  #end(undecodable: Undecodable | null): DecodedRecordSet {
    this.#finishRun();
    this.#coverTo(undecodable?.from ?? this.#passed);
    return { batches: this.#batches, nextOffset: this.#coverFrom, undecodable };
  }
}

function later(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

function timestampTypeOf(head: BatchHead): TimestampType {
  if (head.format === 0) return "NO_TIMESTAMP_TYPE";
  return isLogAppendTime(head) ? "LOG_APPEND_TIME" : "CREATE_TIME";
}

const NO_BYTES = Buffer.alloc(0);
const NO_COLUMNS = new Int32Array(0);
const NO_TIMESTAMPS = new Float64Array(0);

/** Covers offsets that carry no record. */
export function emptyBatch(baseOffset: bigint, nextOffset: bigint): RecordBatch {
  const memory = new SharedMemory(0, () => {});
  memory.hold();
  return {
    baseOffset,
    nextOffset,
    count: 0,
    buffer: NO_BYTES,
    columns: NO_COLUMNS,
    timestamps: NO_TIMESTAMPS,
    timestampType: "CREATE_TIME",
    bytes: 0,
    memory,
  };
}
