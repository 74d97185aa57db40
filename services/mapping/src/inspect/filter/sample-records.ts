import { timestampMs } from "@bufbuild/protobuf/wkt";
import { invalidField, type RecordBatch, recordBatchOf } from "@penstock/core";
import type { mapping } from "@penstock/proto";
import type { NewestRecord } from "../source-admin.ts";

/** A record that a filter is tried on, with its place. */
export interface TriedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** Of this record alone. */
  readonly batch: RecordBatch;
}

export const SAMPLES_MAX = 100;

/** @throws PenstockError `invalidArgument` for too many, or for a place that no record has. */
export function readSamples(samples: readonly mapping.SampleRecord[]): TriedRecord[] {
  if (samples.length > SAMPLES_MAX) {
    throw invalidField("records", `records: at most ${SAMPLES_MAX}, not ${samples.length}.`);
  }
  return samples.map((sample, index) => {
    checkPlace(`records[${index}].offset`, sample.offset);
    checkPlace(`records[${index}].partition`, sample.partition);
    return tried(sample.topic, {
      partition: sample.partition,
      offset: sample.offset,
      timestampMs: sample.timestamp ? timestampMs(sample.timestamp) : 0,
      key: bytes(sample.key),
      value: bytes(sample.value),
      headers: sample.headers.map(({ key, value }) => ({
        key: Buffer.from(key),
        value: bytes(value),
      })),
    });
  });
}

export function tried(topic: string, record: NewestRecord): TriedRecord {
  const { partition, offset } = record;
  return { topic, partition, offset, batch: recordBatchOf([record]) };
}

function bytes(value: Uint8Array | undefined): Buffer | null {
  return value === undefined ? null : Buffer.from(value);
}

function checkPlace(field: string, value: number | bigint): void {
  if (value < 0) throw invalidField(field, `${field} must be 0 or more.`);
}
