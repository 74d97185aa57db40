import {
  type BatchEncoder,
  createHandleRequestEncoder,
  createLambdaEventEncoder,
  type FunctionSpec,
  offsetAt,
  payloadFormatOf,
  type QueueSlice,
  recordsIn,
} from "@penstock/core";
import type { Batch, BatchPart } from "../../lane/batch.ts";
import type { Lane } from "../../lane/lane.ts";

/**
 * Makes batches: takes records from lanes straight into the encoder of the function, admits them to the frontiers, and encodes a
 * batch anew when the function changed. One encoder per function revision, kept until the next one.
 */
export class BatchMaker {
  readonly #bootstrapServers: readonly string[];
  readonly #newId: () => string;
  #encoder: BatchEncoder | null = null;
  #encoderFor: FunctionSpec | null = null;

  constructor(bootstrapServers: readonly string[], newId: () => string) {
    this.#bootstrapServers = bootstrapServers;
    this.#newId = newId;
  }

  /**
   * Takes up to `recordsMax` records from the lanes, in their order, as far as the payload goes. Null when not even the first
   * record of the first lane fits into an empty payload: that record alone is over the limit.
   */
  make(lanes: readonly Lane[], recordsMax: number, spec: FunctionSpec): Batch | null {
    const encoder = this.#encoderOf(spec);
    encoder.begin();
    const parts: BatchPart[] = [];
    let left = recordsMax;
    for (const lane of lanes) {
      if (left === 0) break;
      encoder.partition(lane.assignment.topic, lane.assignment.partition);
      const slices = lane.queue.take(encoder, left);
      const recordCount = recordsIn(slices);
      if (recordCount === 0) break;
      left -= recordCount;
      parts.push(admit(lane, slices, recordCount));
    }
    if (parts.length === 0) return null;
    return {
      requestId: this.#newId(),
      parts,
      recordCount: recordsMax - left,
      payload: encoder.finish(),
      encodedFor: spec,
      failedAttempts: 0,
      waits: 0,
    };
  }

  /** Encodes the records of a batch for `spec`. False when they don't fit its limit any more. */
  encodeAnew(batch: Batch, spec: FunctionSpec): boolean {
    const encoder = this.#encoderOf(spec);
    encoder.begin();
    for (const { lane, slices } of batch.parts) {
      encoder.partition(lane.assignment.topic, lane.assignment.partition);
      for (const { entry, from, to } of slices) {
        if (encoder.appendRange(entry.batch, entry.selection, from, to) < to - from) return false;
      }
    }
    batch.payload = encoder.finish();
    batch.encodedFor = spec;
    return true;
  }

  /** The share of one lane as a batch of its own, to be encoded before its call. */
  split(batch: Batch, part: BatchPart): Batch {
    return {
      requestId: this.#newId(),
      parts: [part],
      recordCount: part.recordCount,
      payload: null,
      encodedFor: batch.encodedFor,
      failedAttempts: batch.failedAttempts,
      waits: batch.waits,
    };
  }

  #encoderOf(spec: FunctionSpec): BatchEncoder {
    if (this.#encoder === null || this.#encoderFor !== spec) {
      const options = {
        bootstrapServers: this.#bootstrapServers,
        bytesMax: spec.payloadBytesMax,
      };
      this.#encoder =
        payloadFormatOf(spec.target) === "lambdaJson"
          ? createLambdaEventEncoder(options)
          : createHandleRequestEncoder(options);
      this.#encoderFor = spec;
    }
    return this.#encoder;
  }
}

function admit(lane: Lane, slices: QueueSlice[], recordCount: number): BatchPart {
  const first = slices[0] as QueueSlice;
  const last = slices[slices.length - 1] as QueueSlice;
  const range = lane.frontier.admit(
    offsetAt(first.entry, first.from),
    offsetAt(last.entry, last.to - 1) + 1n,
  );
  lane.pass();
  return { lane, queue: lane.queue, slices, range, recordCount };
}
