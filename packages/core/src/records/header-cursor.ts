import { COLUMN_END, COLUMN_HEADERS, COLUMNS, type RecordBatch } from "./record-batch.ts";

/**
 * Steps over the headers of a record (format v2: a zigzag varint count, then name and value, each with a zigzag varint length)
 * without an object per header. One cursor is reused for any number of records.
 *
 * Total: on bytes that break the format it stops at the last header that is whole. The decoder has checked records that
 * come from a broker.
 */
export class HeaderCursor {
  buffer: Buffer = Buffer.alloc(0);
  /** Headers that the record says it has. */
  count = 0;
  nameFrom = 0;
  nameTo = 0;
  valueFrom = 0;
  /** -1: the value is null. */
  valueTo = 0;
  #at = 0;
  #end = 0;
  #left = 0;

  open(batch: RecordBatch, row: number): void {
    const columns = batch.columns;
    this.buffer = batch.buffer;
    this.#at = columns[row * COLUMNS + COLUMN_HEADERS] as number;
    this.#end = columns[row * COLUMNS + COLUMN_END] as number;
    this.count = Math.max(0, this.#varint());
    this.#left = this.count;
  }

  /** Moves to the next header; false behind the last one. */
  next(): boolean {
    if (this.#left <= 0) return false;
    this.#left--;
    const nameLength = this.#varint();
    this.nameFrom = this.#at;
    this.nameTo = this.#at + nameLength;
    if (nameLength < 0 || this.nameTo > this.#end) return this.#stop();
    this.#at = this.nameTo;
    const valueLength = this.#varint();
    this.valueFrom = this.#at;
    this.valueTo = valueLength < 0 ? -1 : this.#at + valueLength;
    if (valueLength < -1 || this.valueTo > this.#end) return this.#stop();
    if (valueLength > 0) this.#at = this.valueTo;
    return true;
  }

  #stop(): boolean {
    this.#left = 0;
    return false;
  }

  /** -2 (no valid length or count) when the bytes end or the number has more than 32 bits. */
  #varint(): number {
    let bits = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (this.#at >= this.#end) return -2;
      const byte = this.buffer[this.#at++] as number;
      bits |= (byte & 127) << shift;
      if (byte < 128) return (bits >>> 1) ^ -(bits & 1);
    }
    return -2;
  }
}
