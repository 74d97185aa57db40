/**
 * The newest records of a topic, for a look: no consumer group, nothing committed, bounded in number, bytes and time.
 *
 * Each partition is read from `count` offsets before its end. When its share of the bytes doesn't reach that far, it is read once more from as
 * many offsets before the end as fitted. Of all that came, the newest by time are given.
 */
import {
  type Clock,
  HeaderCursor,
  InvariantError,
  PenstockError,
  type PlainRecord,
  type RecordBatch,
  type RecordHeader,
  recordKey,
  recordOffset,
  recordValue,
} from "@penstock/core";
import type { KafkaCluster } from "../cluster/kafka-cluster.ts";
import { kafkaRefusal } from "../cluster/kafka-error.ts";
import { type LogEnds, readLogEnds } from "../cluster/log-ends.ts";
import { type BatchHead, isControl, readBatchHeads } from "../decode/batch-head.ts";
import { CountedMemory } from "../decode/counted-memory.ts";
import { decodeRecordSet } from "../decode/decode-record-set.ts";
import { FetchChannel } from "../fetch/fetch-channel.ts";
import { FetchCounters } from "../fetch/fetch-counters.ts";
import { encodeFetchRequest, SESSIONLESS_EPOCH, versionFor } from "../fetch/wire/fetch-request.ts";
import type { FetchResponse } from "../fetch/wire/fetch-response.ts";

export interface NewestRecord extends PlainRecord {
  readonly topic: string;
  readonly partition: number;
}

export const NEWEST_RECORDS_MAX = 100;
const BYTES_MAX = 4 * 1024 * 1024;
const TIME_MS_MAX = 5_000;
const ATTEMPTS_MAX = 3;
const ATTEMPT_PAUSE_MS = 300;
/** What took longer is no passing moment. */
const REPEAT_WITHIN_MS = 2_000;
/** Beyond it, the partitions with the most records are looked at. */
const PARTITIONS_MAX = 64;
const WAIT_MS = 100;
/** What one compressed batch may inflate to, and how many of a partition are looked into: both bound the memory of a look. */
const INFLATED_BYTES_MAX = 4 * 1024 * 1024;
const BATCHES_MAX = 16;

interface Look {
  readonly partition: number;
  readonly logStart: bigint;
  readonly logEnd: bigint;
}

/** Oldest first. What could not be read in time is left out; rejects when nothing could be read because of an error. */
export async function newestRecords(
  cluster: KafkaCluster,
  clock: Clock,
  topic: string,
  count: number,
): Promise<NewestRecord[]> {
  if (!(Number.isInteger(count) && count >= 1 && count <= NEWEST_RECORDS_MAX))
    throw new PenstockError("invalidArgument", `Ask for 1 to ${NEWEST_RECORDS_MAX} records.`);
  const startMs = clock.nowMs();
  // A topic that was just made, or a leader that just moved: the brokers know better in a moment.
  for (let attempt = 1; ; attempt++) {
    try {
      return await lookOnce(cluster, clock, topic, count);
    } catch (error) {
      const isPassing = error instanceof PenstockError && error.code === "kafkaUnavailable";
      const isLate = clock.nowMs() - startMs > REPEAT_WITHIN_MS;
      if (!isPassing || isLate || attempt === ATTEMPTS_MAX) throw error;
      cluster.invalidate(topic);
      await new Promise((resolve) => setTimeout(resolve, ATTEMPT_PAUSE_MS));
    }
  }
}

async function lookOnce(
  cluster: KafkaCluster,
  clock: Clock,
  topic: string,
  count: number,
): Promise<NewestRecord[]> {
  const look = new NewestRecords(cluster, clock, topic, count);
  const { promise: timeUp, resolve } = Promise.withResolvers<"late">();
  const timer = setTimeout(() => resolve("late"), TIME_MS_MAX);
  try {
    const end = await Promise.race([look.read(), timeUp]);
    const found = look.found();
    if (end === "late" && found.length === 0)
      throw new PenstockError("kafkaUnavailable", "The brokers do not answer in time.");
    return found;
  } finally {
    clearTimeout(timer);
    look.close();
  }
}

class NewestRecords {
  readonly #cluster: KafkaCluster;
  readonly #clock: Clock;
  readonly #topic: string;
  readonly #count: number;
  readonly #channels: FetchChannel[] = [];
  readonly #byPartition = new Map<number, NewestRecord[]>();
  #isClosed = false;
  #problem: PenstockError | null = null;

  constructor(cluster: KafkaCluster, clock: Clock, topic: string, count: number) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#topic = topic;
    this.#count = count;
  }

  found(): NewestRecord[] {
    const all = [...this.#byPartition.values()].flat();
    if (all.length === 0 && this.#problem) throw this.#problem;
    all.sort((a, b) => a.timestampMs - b.timestampMs || compare(a, b));
    const newest: NewestRecord[] = [];
    let bytes = 0;
    for (const record of all.slice(-this.#count).reverse()) {
      bytes += bytesOf(record);
      if (bytes > BYTES_MAX && newest.length > 0) break;
      newest.push(record);
    }
    return newest.reverse();
  }

  close(): void {
    this.#isClosed = true;
    for (const channel of this.#channels) channel.drop();
  }

  async read(): Promise<void> {
    const { topicId, partitions } = await this.#cluster.metadata(this.#topic);
    const looks: Look[] = [];
    const all = partitions.map(({ partition }) => partition);
    await readLogEnds(this.#cluster, this.#topic, all, (partition, ends) => {
      if (ends instanceof PenstockError) this.#problem ??= ends;
      else if (ends.logEnd > ends.logStart) looks.push({ partition, ...ends });
    });
    const chosen = looks.sort((a, b) => sizeOf(b) - sizeOf(a)).slice(0, PARTITIONS_MAX);
    const leaders = Map.groupBy(
      chosen,
      (look) => partitions.find(({ partition }) => partition === look.partition)?.leader ?? -1,
    );
    const share = Math.floor(BYTES_MAX / Math.max(1, chosen.length));
    await Promise.all(
      [...leaders].map(([leader, led]) => this.#readFrom(leader, topicId, led, share)),
    );
  }

  async #readFrom(
    leader: number,
    topicId: string,
    looks: readonly Look[],
    bytesMax: number,
  ): Promise<void> {
    if (this.#isClosed || leader < 0) return;
    const channel = new FetchChannel(
      this.#cluster,
      leader,
      this.#topic,
      this.#clock,
      new FetchCounters(),
    );
    this.#channels.push(channel);
    const topicIdBytes = Buffer.from(topicId.replaceAll("-", ""), "hex");
    // One partition at a time: a broker fills an answer with the first ones, and what is held here at once stays small.
    for (const look of looks) {
      let lookBack = this.#count;
      for (const isSecond of [false, true]) {
        const position = later(look.logStart, look.logEnd - BigInt(lookBack));
        const { partition } = look;
        const wanted = { topicId, topicIdBytes, partition, position, bytesMax, leaderEpoch: -1 };
        const request = {
          topic: this.#topic,
          maxWaitMs: WAIT_MS,
          bytesMax,
          sessionId: 0,
          sessionEpoch: SESSIONLESS_EPOCH,
          partitions: [wanted],
          forgotten: [],
          rack: "",
        };
        const build = (newest: number) => {
          const version = versionFor(newest, [wanted]);
          return { version, payload: encodeFetchRequest(request, version) };
        };
        const outcome = await channel.exchange(build, TIME_MS_MAX);
        if (outcome.is === "void" || this.#isClosed) return;
        if (outcome.is === "failed") {
          this.#problem ??= outcome.error;
          return;
        }
        const reached = this.#take(outcome.response, partition, position);
        if (reached === null || reached >= look.logEnd || isSecond) break;
        lookBack = Math.max(1, Number(reached - position));
      }
    }
  }

  /** Keeps the last records of an answer; the offset that it reached, null when it has no records or an error. */
  #take(response: FetchResponse, partition: number, position: bigint): bigint | null {
    const { buffer } = response;
    const [fetched] = response.partitions;
    const errorCode = response.errorCode || (fetched?.errorCode ?? 0);
    if (errorCode !== 0) {
      this.#problem ??= kafkaRefusal(errorCode, `topic "${this.#topic}"`);
      return null;
    }
    if (!fetched || fetched.recordsEnd === fetched.recordsStart) return null;
    const heads = readBatchHeads(buffer, fetched.recordsStart, fetched.recordsEnd);
    const { aborted, highWatermark } = fetched;
    const decoded = decodeRecordSet(
      {
        buffer,
        heads: { ...heads, heads: tail(heads.heads, this.#count) },
        position,
        aborted,
        highWatermark,
        memory: new CountedMemory(buffer.length, 0, () => {}),
      },
      { inflatedBytesMax: INFLATED_BYTES_MAX, countMemory: () => {} },
    );
    const records: NewestRecord[] = [];
    for (const batch of decoded.batches) {
      for (let row = Math.max(0, batch.count - this.#count); row < batch.count; row++)
        records.push(recordOf(batch, row, this.#topic, partition));
      batch.memory.release();
    }
    if (records.length > 0) this.#byPartition.set(partition, records.slice(-this.#count));
    return decoded.nextOffset;
  }
}

/** The last batches that hold `count` records; markers of transactions stay, because what is aborted depends on them. */
function tail(heads: readonly BatchHead[], count: number): BatchHead[] {
  const kept: BatchHead[] = [];
  let records = 0;
  let batches = 0;
  for (const head of heads.toReversed()) {
    if (!isControl(head)) {
      if (records >= count || batches === BATCHES_MAX) continue;
      records += head.count;
      batches++;
    }
    kept.push(head);
  }
  return kept.reverse();
}

/** Copies: the answer that they came in is not kept alive. */
function recordOf(batch: RecordBatch, row: number, topic: string, partition: number): NewestRecord {
  const timestampMs = batch.timestamps[row];
  if (timestampMs === undefined) throw new InvariantError("a row without a timestamp");
  const key = recordKey(batch, row);
  const value = recordValue(batch, row);
  const headers: RecordHeader[] = [];
  const cursor = new HeaderCursor();
  for (cursor.open(batch, row); cursor.next(); ) {
    const { buffer, nameFrom, nameTo, valueFrom, valueTo } = cursor;
    headers.push({
      key: Buffer.from(buffer.subarray(nameFrom, nameTo)),
      value: valueTo < 0 ? null : Buffer.from(buffer.subarray(valueFrom, valueTo)),
    });
  }
  return {
    topic,
    partition,
    offset: recordOffset(batch, row),
    timestampMs,
    key: key && Buffer.from(key),
    value: value && Buffer.from(value),
    headers,
  };
}

function bytesOf({ key, value, headers }: NewestRecord): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0);
  for (const header of headers) bytes += header.key.length + (header.value?.length ?? 0);
  return bytes;
}

function compare(a: NewestRecord, b: NewestRecord): number {
  return a.partition - b.partition || (a.offset < b.offset ? -1 : 1);
}

function sizeOf({ logStart, logEnd }: Look | LogEnds): number {
  return Number(logEnd - logStart);
}

function later(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
