/**
 * The hot loop: the records of one batch, from bytes to rows. No object, no call and no copy per record in the common case.
 *
 * Every bound is checked, mostly after the fact: reading a byte past the end of a buffer is harmless (undefined, never a number of
 * 128 or more), so a group of reads is followed by one comparison of the position with the end of the record. What is accepted is
 * exact: each record fills its declared length, the records fill the batch, offsets ascend within the batch. Readers of keys, values
 * and headers therefore need no checks of their own.
 */
import {
  COLUMN_END,
  COLUMN_HEADERS,
  COLUMN_KEY,
  COLUMN_KEY_LENGTH,
  COLUMN_OFFSET,
  COLUMN_VALUE,
  COLUMN_VALUE_LENGTH,
  COLUMNS,
} from "@penstock/core";
import { cursor, readVarint, readVarlong } from "./varint.ts";

/** A length, attributes, two deltas, two lengths, and a header count of one byte each. */
export const RECORD_BYTES_MIN = 7;

/** Rows of several batches of the same buffer. */
export interface RecordTable {
  readonly columns: Int32Array;
  readonly timestamps: Float64Array;
  rows: number;
}

export function newTable(rowsMax: number): RecordTable {
  return {
    columns: new Int32Array(rowsMax * COLUMNS),
    timestamps: new Float64Array(rowsMax),
    rows: 0,
  };
}

/** From `first` on, as a batch has them. */
export function rows(table: RecordTable, first: number) {
  return {
    count: table.rows - first,
    columns: table.columns.subarray(first * COLUMNS, table.rows * COLUMNS),
    timestamps: table.timestamps.subarray(first, table.rows),
  };
}

/** Where the records are, and how their deltas become rows. */
export interface RecordSection {
  readonly start: number;
  readonly end: number;
  readonly count: number;
  readonly lastOffsetDelta: number;
  /** Records below this delta lie before the fetch position: checked, not added. */
  readonly firstOffsetDelta: number;
  /** Added to the offset delta of each row. */
  readonly offsetShift: number;
  readonly baseTimestamp: number;
  /** LOG_APPEND_TIME: all records carry `baseTimestamp`, their deltas mean nothing. */
  readonly isLogAppendTime: boolean;
}

/** Appends the rows to `table`, which has room for `count`. Returns null, or what is wrong with the bytes (rows then mean nothing). */
export function readRecords(b: Buffer, section: RecordSection, table: RecordTable): string | null {
  const { end, count, lastOffsetDelta, firstOffsetDelta, offsetShift } = section;
  const { baseTimestamp, isLogAppendTime } = section;
  const { columns, timestamps } = table;
  let row = table.rows;
  let at = row * COLUMNS;
  let p = section.start;
  let previousDelta = -1;
  for (let i = 0; i < count; i++) {
    let x = b[p++] as number;
    let length: number;
    if (x < 128) length = (x >>> 1) ^ -(x & 1);
    else {
      const y = b[p++] as number;
      if (y < 128) {
        x = (x & 127) | (y << 7);
        length = (x >>> 1) ^ -(x & 1);
      } else {
        cursor.at = p - 2;
        length = readVarint(b);
        p = cursor.at;
      }
    }
    if (!(length >= RECORD_BYTES_MIN - 1 && length <= end - p))
      return "record length out of bounds";
    const recordEnd = p + length;

    // Attributes of a record are unused in format v2.
    p++;
    let timestampDelta: number;
    x = b[p++] as number;
    if (x < 128) timestampDelta = (x >>> 1) ^ -(x & 1);
    else {
      const y = b[p++] as number;
      if (y < 128) {
        x = (x & 127) | (y << 7);
        timestampDelta = (x >>> 1) ^ -(x & 1);
      } else {
        cursor.at = p - 2;
        timestampDelta = readVarlong(b);
        p = cursor.at;
      }
    }

    let offsetDelta: number;
    x = b[p++] as number;
    if (x < 128) offsetDelta = (x >>> 1) ^ -(x & 1);
    else {
      const y = b[p++] as number;
      if (y < 128) {
        x = (x & 127) | (y << 7);
        offsetDelta = (x >>> 1) ^ -(x & 1);
      } else {
        cursor.at = p - 2;
        offsetDelta = readVarint(b);
        p = cursor.at;
      }
    }
    if (!(offsetDelta > previousDelta && offsetDelta <= lastOffsetDelta))
      return "record offset out of order";
    previousDelta = offsetDelta;

    let keyLength: number;
    x = b[p++] as number;
    if (x < 128) keyLength = (x >>> 1) ^ -(x & 1);
    else {
      cursor.at = p - 1;
      keyLength = readVarint(b);
      p = cursor.at;
    }
    const key = p;
    if (keyLength > 0) p += keyLength;
    if (!(keyLength >= -1 && p < recordEnd)) return "key length out of bounds";

    let valueLength: number;
    x = b[p++] as number;
    if (x < 128) valueLength = (x >>> 1) ^ -(x & 1);
    else {
      const y = b[p++] as number;
      if (y < 128) {
        x = (x & 127) | (y << 7);
        valueLength = (x >>> 1) ^ -(x & 1);
      } else {
        cursor.at = p - 2;
        valueLength = readVarint(b);
        p = cursor.at;
      }
    }
    const value = p;
    if (valueLength > 0) p += valueLength;
    if (!(valueLength >= -1 && p < recordEnd)) return "value length out of bounds";

    if (b[p] === 0) {
      if (p + 1 !== recordEnd) return "record longer than its fields";
    } else if (!areHeadersSound(b, p, recordEnd)) return "header lengths out of bounds";

    if (Number.isNaN(timestampDelta)) return "timestamp out of bounds";
    if (offsetDelta >= firstOffsetDelta) {
      columns[at + COLUMN_OFFSET] = offsetDelta + offsetShift;
      columns[at + COLUMN_KEY] = key;
      columns[at + COLUMN_KEY_LENGTH] = keyLength;
      columns[at + COLUMN_VALUE] = value;
      columns[at + COLUMN_VALUE_LENGTH] = valueLength;
      columns[at + COLUMN_HEADERS] = p;
      columns[at + COLUMN_END] = recordEnd;
      timestamps[row] = isLogAppendTime ? baseTimestamp : baseTimestamp + timestampDelta;
      at += COLUMNS;
      row++;
    }
    p = recordEnd;
  }
  if (p !== end) return "bytes left over after the last record";
  table.rows = row;
  return null;
}

/** Whether `[start, end)` is exactly a header count and that many headers. */
function areHeadersSound(b: Buffer, start: number, end: number): boolean {
  cursor.at = start;
  const count = readVarint(b);
  // Two lengths of one byte each are the least that a header takes.
  if (!(count >= 0 && count <= (end - cursor.at) / 2)) return false;
  for (let i = 0; i < count; i++) {
    const keyLength = readVarint(b);
    if (!(keyLength >= 0 && keyLength < end - cursor.at)) return false;
    cursor.at += keyLength;
    const valueLength = readVarint(b);
    if (!(valueLength >= -1 && valueLength <= end - cursor.at)) return false;
    if (valueLength > 0) cursor.at += valueLength;
  }
  return cursor.at === end;
}
