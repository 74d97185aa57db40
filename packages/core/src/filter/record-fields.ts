import { invariant } from "../errors/penstock-error.ts";
import { HeaderCursor } from "../records/header-cursor.ts";
import {
  COLUMN_KEY,
  COLUMN_KEY_LENGTH,
  COLUMN_OFFSET,
  COLUMN_VALUE,
  COLUMN_VALUE_LENGTH,
  COLUMNS,
  type RecordBatch,
} from "../records/record-batch.ts";
import { isDeeperThan, startsNested } from "./json-guard.ts";
import {
  addField,
  emptyFields,
  expandDottedNames,
  type Fields,
  hasDottedName,
} from "./pattern/dotted-names.ts";

/** A larger key or value is not parsed: it counts as text that is not JSON. */
export const FILTER_JSON_BYTES_MAX = 16 * 1024 * 1024;
/** So does one that nests deeper. */
export const FILTER_JSON_DEPTH_MAX = 64;

/**
 * What a filter may take a key or a value for. JSON is an object or a list; a text such as `42` or `"x"` is text.
 */
export type Decoded =
  | { readonly kind: "absent" }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "json"; readonly json: unknown }
  | { readonly kind: "notUtf8" };

const ABSENT: Decoded = { kind: "absent" };
const NOT_UTF8: Decoded = { kind: "notUtf8" };

/**
 * The record that a filter looks at. One object for all records: each part is decoded when a pattern first asks for it, once
 * however many patterns do, and `close` drops it.
 */
export class RecordFields {
  topic = "";
  partition = 0;
  #batch: RecordBatch | null = null;
  #row = 0;
  #key: Decoded | null = null;
  #value: Decoded | null = null;
  #headers: Fields | null = null;
  readonly #cursor = new HeaderCursor();

  open(batch: RecordBatch, row: number, topic: string, partition: number): void {
    this.#batch = batch;
    this.#row = row;
    this.topic = topic;
    this.partition = partition;
  }

  close(): void {
    this.#batch = null;
    this.#key = null;
    this.#value = null;
    this.#headers = null;
  }

  get key(): Decoded {
    this.#key ??= this.#decode(COLUMN_KEY, COLUMN_KEY_LENGTH);
    return this.#key;
  }

  get value(): Decoded {
    this.#value ??= this.#decode(COLUMN_VALUE, COLUMN_VALUE_LENGTH);
    return this.#value;
  }

  /** As a double: exact up to 2^53. */
  get offset(): number {
    const batch = this.#opened;
    return (
      Number(batch.baseOffset) + (batch.columns[this.#row * COLUMNS + COLUMN_OFFSET] as number)
    );
  }

  get timestampMs(): number {
    return this.#opened.timestamps[this.#row] as number;
  }

  /** Values as text by name; a list where a name repeats. */
  get headers(): Fields {
    this.#headers ??= this.#decodeHeaders();
    return this.#headers;
  }

  get #opened(): RecordBatch {
    invariant(this.#batch !== null, "a record is open while a filter looks at it");
    return this.#batch;
  }

  #decode(startColumn: number, lengthColumn: number): Decoded {
    const { buffer, columns } = this.#opened;
    const from = columns[this.#row * COLUMNS + startColumn] as number;
    const length = columns[this.#row * COLUMNS + lengthColumn] as number;
    return length < 0 ? ABSENT : decode(buffer.subarray(from, from + length));
  }

  #decodeHeaders(): Fields {
    const cursor = this.#cursor;
    const fields = emptyFields();
    cursor.open(this.#opened, this.#row);
    while (cursor.next()) {
      const name = cursor.buffer.toString("utf8", cursor.nameFrom, cursor.nameTo);
      const value =
        cursor.valueTo < 0
          ? null
          : cursor.buffer.toString("utf8", cursor.valueFrom, cursor.valueTo);
      addField(fields, name, value);
    }
    return fields;
  }
}

export function decode(bytes: Buffer): Decoded {
  const text = bytes.toString("utf8");
  // The decoder replaces what is not UTF-8 by U+FFFD, which a text may also hold of its own.
  if (text.includes("\uFFFD") && !Buffer.from(text, "utf8").equals(bytes)) return NOT_UTF8;
  const isCandidate = bytes.length <= FILTER_JSON_BYTES_MAX && startsNested(bytes);
  if (!isCandidate || isDeeperThan(bytes, FILTER_JSON_DEPTH_MAX)) return { kind: "text", text };
  try {
    const json: unknown = JSON.parse(text);
    return { kind: "json", json: hasDottedName(json) ? expandDottedNames(json) : json };
  } catch {
    // Not JSON: that is an answer here.
    return { kind: "text", text };
  }
}
