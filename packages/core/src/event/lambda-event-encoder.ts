import { HeaderCursor } from "../records/header-cursor.ts";
import {
  COLUMN_HEADERS,
  COLUMN_KEY,
  COLUMN_KEY_LENGTH,
  COLUMN_OFFSET,
  COLUMN_VALUE,
  COLUMN_VALUE_LENGTH,
  COLUMNS,
  type RecordBatch,
  type TimestampType,
} from "../records/record-batch.ts";
import type { BatchEncoder, BatchEncoderOptions } from "./batch-encoder.ts";
import { base64Length, type Source, sourceOf, writeBase64 } from "./bytes/base64.ts";
import { DECIMAL_MAX, writeDecimal } from "./bytes/decimal.ts";
import { type FixedPiece, fixedPiece, writeShort } from "./bytes/fixed-piece.ts";
import { Scratch } from "./bytes/scratch.ts";
import { writeLambdaHeaders } from "./lambda-headers.ts";

/**
 * The Lambda event of a self-managed Kafka source, as JSON.
 *
 *     {"eventSource":"SelfManagedKafka","bootstrapServers":"a:1,b:2","records":{
 *       "orders-0":[{"topic":"orders","partition":0,"offset":15,"timestamp":1545084650987,
 *         "timestampType":"CREATE_TIME","key":"base64","value":"base64","headers":[{"name":[104,-36]}]}]}}
 *
 * Byte for byte what `JSON.stringify` makes of that object (without the line breaks). A null key or value is left out, an
 * empty one is `""`. `headers` is always there: one object with one member per header, in order, duplicates kept; values are
 * signed bytes. AWS does not say what a null header value becomes; here it is `null`, because `[]` is an empty one.
 * Offsets are exact at any size: above 2^53 a reader that parses numbers as doubles loses digits, the text does not.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/with-kafka.html
 */
export function createLambdaEventEncoder(options: BatchEncoderOptions): BatchEncoder {
  return new LambdaEventEncoder(options);
}

const TIMESTAMP = fixedPiece(',"timestamp":');
const KEY = fixedPiece(',"key":"');
const QUOTE_VALUE = fixedPiece('","value":"');
const QUOTE_NO_HEADERS = fixedPiece('","headers":[]}');
const QUOTE = fixedPiece('"');
const NO_HEADERS = fixedPiece(',"headers":[]}');
const END = fixedPiece("}}");
/** Closes a group and the event. */
const GROUP_AND_EVENT_END_BYTES = 3;

const COMMA = 44;
const BRACKET_CLOSE = 93;

/** The longest pieces, numbers and brackets of one record without topic, key, value and headers. */
const RECORD_FIXED_BYTES_MAX = 256;

const NO_SOURCE = sourceOf(Buffer.alloc(0));

/** Pieces that follow from the timestamp type. */
interface TypePieces {
  readonly plain: FixedPiece;
  readonly value: FixedPiece;
}

const TYPE_PIECES: Record<TimestampType, TypePieces> = {
  CREATE_TIME: typePieces("CREATE_TIME"),
  LOG_APPEND_TIME: typePieces("LOG_APPEND_TIME"),
  NO_TIMESTAMP_TYPE: typePieces("NO_TIMESTAMP_TYPE"),
};

function typePieces(type: TimestampType): TypePieces {
  const text = `,"timestampType":"${type}"`;
  return { plain: fixedPiece(text), value: fixedPiece(`${text},"value":"`) };
}

/** Pieces that follow from the partition. */
interface GroupPieces {
  readonly start: FixedPiece;
  readonly record: FixedPiece;
}

/** Partitions whose pieces are kept. */
const GROUP_PIECES_MAX = 1024;

function groupPieces(topic: string, partition: number): GroupPieces {
  const name = JSON.stringify(topic);
  return {
    start: fixedPiece(`${JSON.stringify(`${topic}-${partition}`)}:[`),
    record: fixedPiece(`{"topic":${name},"partition":${partition},"offset":`),
  };
}

class LambdaEventEncoder implements BatchEncoder {
  readonly #bytesMax: number;
  readonly #scratch = new Scratch();
  readonly #headers = new HeaderCursor();
  readonly #start: FixedPiece;
  #at = 0;
  /** `baseOffset` of the batch that is being appended, as a double. */
  #offsetBase = 0;
  /** The buffer of the batch that is being appended. */
  #source: Source = NO_SOURCE;
  #recordCount = 0;
  #groupCount = 0;
  #isGroupOpen = false;
  #group: GroupPieces = groupPieces("", 0);
  readonly #groupPieces = new Map<string, GroupPieces>();

  constructor(options: BatchEncoderOptions) {
    const servers = JSON.stringify(options.bootstrapServers.join(","));
    this.#bytesMax = options.bytesMax;
    this.#start = fixedPiece(
      `{"eventSource":"SelfManagedKafka","bootstrapServers":${servers},"records":{`,
    );
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  get byteLength(): number {
    return this.#at + (this.#isGroupOpen ? GROUP_AND_EVENT_END_BYTES : END.length);
  }

  begin(): void {
    this.#scratch.start();
    this.#scratch.reserve(0, this.#start.length);
    this.#scratch.bytes.set(this.#start.bytes, 0);
    this.#at = this.#start.length;
    this.#recordCount = 0;
    this.#groupCount = 0;
    this.#isGroupOpen = false;
  }

  partition(topic: string, partition: number): void {
    this.#closeGroup();
    const key = `${topic}-${partition}`;
    let pieces = this.#groupPieces.get(key);
    if (pieces === undefined) {
      if (this.#groupPieces.size >= GROUP_PIECES_MAX) this.#groupPieces.clear();
      pieces = groupPieces(topic, partition);
      this.#groupPieces.set(key, pieces);
    }
    this.#group = pieces;
  }

  append(batch: RecordBatch, row: number): boolean {
    return this.appendRange(batch, null, row, row + 1) === 1;
  }

  appendRange(batch: RecordBatch, selection: Int32Array | null, from: number, to: number): number {
    const atMax = this.#bytesMax - GROUP_AND_EVENT_END_BYTES;
    this.#offsetBase = Number(batch.baseOffset);
    if (this.#source.bytes !== batch.buffer) this.#source = sourceOf(batch.buffer);
    for (let index = from; index < to; index++) {
      const row = selection === null ? index : (selection[index] as number);
      const at = this.#writeRecord(batch, row, atMax);
      if (at < 0) return index - from;
      this.#at = at;
      this.#recordCount++;
      if (!this.#isGroupOpen) {
        this.#isGroupOpen = true;
        this.#groupCount++;
      }
    }
    return to - from;
  }

  finish(): Buffer {
    this.#closeGroup();
    this.#source = NO_SOURCE;
    this.#scratch.reserve(this.#at, END.length);
    return this.#scratch.take(writeShort(this.#scratch.view, this.#at, END));
  }

  #closeGroup(): void {
    if (!this.#isGroupOpen) return;
    this.#isGroupOpen = false;
    this.#scratch.reserve(this.#at, 1);
    this.#scratch.bytes[this.#at++] = BRACKET_CLOSE;
  }

  /** Writes one record at the end and returns the position behind it, or -1 when that is above `atMax`. Moves nothing. */
  #writeRecord(batch: RecordBatch, row: number, atMax: number): number {
    const columns = batch.columns;
    const column = row * COLUMNS;
    const keyLength = columns[column + COLUMN_KEY_LENGTH] as number;
    const valueLength = columns[column + COLUMN_VALUE_LENGTH] as number;
    const dataBytes = base64Length(Math.max(0, keyLength)) + base64Length(Math.max(0, valueLength));
    if (this.#at + dataBytes > atMax) return -1;
    const scratch = this.#scratch;
    const start = this.#isGroupOpen ? 0 : this.#group.start.length;
    const length = start + this.#group.record.length + RECORD_FIXED_BYTES_MAX + dataBytes;
    if (this.#at + length > scratch.capacity) scratch.reserve(this.#at, length);
    const { bytes, view } = scratch;

    let at = this.#writeSeparator(bytes, this.#at);
    bytes.set(this.#group.record.bytes, at);
    at += this.#group.record.length;
    // Exact in a double below 2^53; beyond it the bigint writes itself.
    const relative = columns[column + COLUMN_OFFSET] as number;
    const offset = this.#offsetBase + relative;
    at =
      offset <= DECIMAL_MAX
        ? writeDecimal(view, at, offset)
        : at + bytes.write(String(batch.baseOffset + BigInt(relative)), at, "latin1");
    at = writeShort(view, at, TIMESTAMP);
    at = writeTimestamp(scratch, at, batch.timestamps[row] as number);

    const type = TYPE_PIECES[batch.timestampType];
    const valueFrom = columns[column + COLUMN_VALUE] as number;
    const hasValue = valueLength >= 0;
    if (keyLength < 0) {
      const piece = hasValue ? type.value : type.plain;
      bytes.set(piece.bytes, at);
      at += piece.length;
    } else {
      bytes.set(type.plain.bytes, at);
      at = writeShort(view, at + type.plain.length, KEY);
      const keyFrom = columns[column + COLUMN_KEY] as number;
      at = writeBase64(bytes, view, at, this.#source, keyFrom, keyFrom + keyLength);
      at = writeShort(view, at, hasValue ? QUOTE_VALUE : QUOTE);
    }
    if (hasValue) {
      at = writeBase64(bytes, view, at, this.#source, valueFrom, valueFrom + valueLength);
    }
    if (batch.buffer[columns[column + COLUMN_HEADERS] as number] === 0) {
      at = writeShort(view, at, hasValue ? QUOTE_NO_HEADERS : NO_HEADERS);
      return at > atMax ? -1 : at;
    }
    if (hasValue) at = writeShort(view, at, QUOTE);
    this.#headers.open(batch, row);
    return writeLambdaHeaders(scratch, at, this.#headers, atMax);
  }

  /** What lies between the record before and this one: a comma, or the start of a group. */
  #writeSeparator(bytes: Buffer, at: number): number {
    let write = at;
    if (this.#isGroupOpen) {
      bytes[write++] = COMMA;
      return write;
    }
    if (this.#groupCount > 0) bytes[write++] = COMMA;
    bytes.set(this.#group.start.bytes, write);
    return write + this.#group.start.length;
  }
}

function writeTimestamp(scratch: Scratch, at: number, timestampMs: number): number {
  if (timestampMs >= 0 && timestampMs <= DECIMAL_MAX) {
    return writeDecimal(scratch.view, at, timestampMs);
  }
  return at + scratch.bytes.write(String(timestampMs), at, "latin1");
}
