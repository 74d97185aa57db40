import type { RecordAppender } from "../batching/record-appender.ts";
import type { RecordBatch } from "../records/record-batch.ts";

/**
 * Writes the records of one batch into the payload that a function receives, straight from the views.
 *
 *     begin → (partition → append | appendRange …)… → finish
 *
 * One per event poller. Not reentrant: one payload at a time. Always true: `byteLength` is the size that `finish` would return
 * now, and it is never above `bytesMax`. A record that would cross the limit leaves no trace (I-14).
 *
 * The caller opens each partition once per payload, appends in ascending offset, and calls `finish` only when `recordCount` > 0.
 */
export interface BatchEncoder extends RecordAppender {
  begin(): void;
  /** Opens a partition's group. A group without a record leaves no trace. */
  partition(topic: string, partition: number): void;
  /** Appends record `row`; false, and nothing appended, when the payload would exceed `bytesMax` (`finish` included). */
  append(batch: RecordBatch, row: number): boolean;
  readonly recordCount: number;
  readonly byteLength: number;
  /** The payload in memory of its own; the encoder keeps no reference. */
  finish(): Buffer;
}

export interface BatchEncoderOptions {
  readonly bootstrapServers: readonly string[];
  /** Largest payload. */
  readonly bytesMax: number;
}
