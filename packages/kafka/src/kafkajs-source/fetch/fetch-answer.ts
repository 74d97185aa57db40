/**
 * The answer to a Fetch, versions 0 to 11, without its records: where they are in the payload is all that is read of them. kafkajs's own reader is not used: it
 * inflates without a cap, checks no checksum, loses what a batch covers beyond its last record (K-4), and pushes all records of a partition as
 * arguments of one call, which overflows the stack above some 125 000 of them (K-8).
 */
import type { AbortedTransaction } from "../../decode/aborted-transactions.ts";
import { PayloadReader } from "../client/payload-reader.ts";

export interface FetchedPartition {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: bigint;
  /** The high watermark before version 4: Kafka before 0.11 has no transactions. */
  readonly lastStableOffset: bigint;
  /** -1: not told (before version 5). */
  readonly logStart: bigint;
  readonly aborted: readonly AbortedTransaction[];
  /** Where the records are in the payload. */
  readonly start: number;
  readonly end: number;
}

export interface FetchAnswer {
  readonly errorCode: number;
  readonly payload: Buffer;
  /** Kafka gives whole batches since version 3; before, it cuts off what is larger than what was asked for. */
  readonly mayCutOff: boolean;
  readonly throttleMs: number;
  /** How long the client is to keep still, from the version on in which brokers leave that to it; read by kafkajs. */
  readonly clientSideThrottleTime: number;
  readonly partitions: readonly FetchedPartition[];
}

export function readFetchAnswer(payload: Buffer, version: number): FetchAnswer {
  const reader = new PayloadReader(payload);
  const throttleMs = version >= 1 ? reader.int32() : 0;
  let errorCode = 0;
  if (version >= 7) {
    errorCode = reader.int16();
    reader.int32();
  }
  const partitions = reader
    .array(() => {
      reader.string();
      return reader.array(() => readPartition(reader, version));
    })
    .flat();
  return {
    errorCode,
    payload,
    mayCutOff: version < 3,
    throttleMs,
    clientSideThrottleTime: version >= 8 ? throttleMs : 0,
    partitions,
  };
}

function readPartition(reader: PayloadReader, version: number): FetchedPartition {
  const partition = reader.int32();
  const errorCode = reader.int16();
  const highWatermark = reader.int64();
  const lastStableOffset = version >= 4 ? reader.int64() : highWatermark;
  const logStart = version >= 5 ? reader.int64() : -1n;
  const aborted =
    version >= 4
      ? reader.array(() => ({ producerId: reader.int64(), firstOffset: reader.int64() }))
      : [];
  if (version >= 11) reader.int32();
  const bytes = Math.max(0, reader.int32());
  const start = reader.skip(bytes);
  return {
    partition,
    errorCode,
    highWatermark,
    lastStableOffset: lastStableOffset < 0n ? highWatermark : lastStableOffset,
    logStart,
    aborted,
    start,
    end: start + bytes,
  };
}
