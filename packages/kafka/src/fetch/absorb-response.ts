/**
 * Takes an answer in: compares it with what was asked and what is wanted by now, moves positions by the heads of the batches alone, and
 * leaves the decoding as work for later, so that the next request can be on its way before.
 *
 * Also finds the end of holes. Compaction can remove the last records below the last stable offset; then there is nothing to fetch and
 * nothing that would move the position. An answer without any record of any partition is proof that each partition asked for has
 * none between its position and the log end known at that time: a broker leaves records out of an answer only after it has put others in.
 */
import { type BatchHeads, readBatchHeads } from "../decode/batch-head.ts";
import { CountedMemory, type CountMemory } from "../decode/counted-memory.ts";
import { flatRowCount, nextOffsetOf } from "../decode/decode-record-set.ts";
import type { FetchCounters } from "./fetch-counters.ts";
import type { Asked } from "./fetch-session.ts";
import { type PartitionFetch, partitionId } from "./partition-fetch.ts";
import type { FetchedPartition, FetchResponse } from "./wire/fetch-response.ts";

/** Something to hand on for a partition, valid while its generation is the same. */
export interface FetchWork {
  readonly state: PartitionFetch;
  readonly generation: number;
  readonly position: bigint;
  /** Null: a hole without an answer of its own. */
  readonly fetched: FetchedPartition | null;
  readonly heads: BatchHeads | null;
  /** End of a proven hole. */
  readonly holeEnd: bigint | null;
}

export interface Absorbed {
  readonly buffer: Buffer;
  readonly memory: CountedMemory;
  readonly work: readonly FetchWork[];
  readonly refused: readonly { readonly state: PartitionFetch; readonly errorCode: number }[];
  readonly redirected: readonly { readonly state: PartitionFetch; readonly node: number }[];
  /** Asked for, still wanted, and without an error. */
  readonly sound: readonly PartitionFetch[];
  /** A follower has nothing where there should be records. Only the leader proves a hole. */
  readonly doubtful: readonly PartitionFetch[];
}

export interface AbsorbContext {
  readonly nowMs: number;
  readonly countMemory: CountMemory;
  readonly counters: FetchCounters;
  /** How much one empty answer proves: 2 when it was a request for this partition alone. */
  readonly proof: number;
}

/** Two empty answers, so that one odd answer of a broker never skips anything. */
const PROOFS_NEEDED = 2;
/** Kafka should never answer with batches that lie wholly before the position. If one does, it is not asked in a tight loop. */
const NO_PROGRESS_PAUSE_MS = 500;

export function absorbResponse(
  response: FetchResponse,
  asked: ReadonlyMap<string, Asked>,
  context: AbsorbContext,
): Absorbed {
  const { buffer } = response;
  const work: FetchWork[] = [];
  const refused: { state: PartitionFetch; errorCode: number }[] = [];
  const redirected: { state: PartitionFetch; node: number }[] = [];
  const doubtful: PartitionFetch[] = [];
  const excluded = new Set<PartitionFetch>();
  const named = response.isNamed ? byPartition(asked) : null;
  let rows = 0;
  let recordBytes = 0;
  for (const fetched of response.partitions) {
    recordBytes += fetched.recordsEnd - fetched.recordsStart;
    const request =
      named === null
        ? asked.get(partitionId(fetched.topicId, fetched.partition))
        : named.get(fetched.partition);
    if (request === undefined || !isCurrent(request)) {
      context.counters.staleAnswers++;
      continue;
    }
    const { state } = request;
    if (excluded.has(state)) continue;
    excluded.add(state);
    if (fetched.errorCode !== 0) refused.push({ state, errorCode: fetched.errorCode });
    else if (fetched.preferredReplica >= 0 && fetched.preferredReplica !== state.node)
      redirected.push({ state, node: fetched.preferredReplica });
    else {
      if (fetched.recordsEnd === fetched.recordsStart) excluded.delete(state);
      const item = takeIn(buffer, fetched, state, context.nowMs);
      if (item.heads !== null) rows += flatRowCount(item.heads);
      work.push(item);
    }
  }

  const sound: PartitionFetch[] = work.map(({ state }) => state);
  const isThrottled = response.throttleMs > 0;
  for (const request of asked.values()) {
    const { state } = request;
    if (excluded.has(state) || !isCurrent(request)) continue;
    sound.push(state);
    const isBehind = request.logEnd > state.position;
    if (!isBehind || isThrottled) continue;
    if (recordBytes > 0) state.starvedSinceMs ??= context.nowMs;
    else {
      state.emptyProofs += context.proof;
      if (state.emptyProofs < PROOFS_NEEDED) continue;
      if (state.replica !== null) {
        doubtful.push(state);
        continue;
      }
      const { generation, position } = state;
      work.push({
        state,
        generation,
        position,
        fetched: null,
        heads: null,
        holeEnd: request.logEnd,
      });
      state.advance(request.logEnd);
    }
  }
  const memory = new CountedMemory(buffer.length, rows, context.countMemory);
  return { buffer, memory, work, refused, redirected, sound, doubtful };
}

/** A request by name is about one topic, and a fetcher has a partition of it once at a broker. */
function byPartition(asked: ReadonlyMap<string, Asked>): ReadonlyMap<number, Asked> {
  return new Map([...asked.values()].map((request) => [request.state.partition, request]));
}

/** Whether an answer to this request is still what is wanted next. */
export function isCurrent({ state, generation, position }: Asked): boolean {
  return !state.isRemoved && state.generation === generation && state.position === position;
}

function takeIn(
  buffer: Buffer,
  fetched: FetchedPartition,
  state: PartitionFetch,
  nowMs: number,
): FetchWork {
  const { generation, position } = state;
  const { recordsStart, recordsEnd, lastStableOffset, highWatermark } = fetched;
  state.logEnd = lastStableOffset >= 0n ? lastStableOffset : highWatermark;
  if (recordsEnd === recordsStart)
    return { state, generation, position, fetched, heads: null, holeEnd: null };
  const { doubt, logEnd } = state;
  const found = readBatchHeads(buffer, recordsStart, recordsEnd, position);
  const heads = doubt.judge(found, { position, logEnd, highWatermark });
  const next = nextOffsetOf(heads, position);
  if (next > position) state.advance(next);
  // What is in doubt for the first time is read again at once.
  else if (doubt.inARow !== 1) state.retryAtMs = nowMs + NO_PROGRESS_PAUSE_MS;
  if (heads.heads.length === 0 && heads.broken === null)
    return { state, generation, position, fetched, heads: null, holeEnd: null };
  // What is to become of it is known after decoding; until then it is not asked for again.
  if (heads.broken !== null) state.isHalted = true;
  return { state, generation, position, fetched, heads, holeEnd: null };
}
