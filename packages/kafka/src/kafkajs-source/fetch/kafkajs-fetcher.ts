/**
 * Fetches partitions of one topic for one event poller: from their leaders, in order, each from its position on. The same contract as the native fetcher's.
 *
 *   set ─▶ routed to its leader ─▶ fetched ─▶ records … ─▶ remove
 *             ▲    │ leader moved, connection lost, refused: later, with a backoff; the member stays in its group (K-9)
 *             └────┘
 *          out of range, undecodable: told, and left alone until the next `set`; never a position that nobody chose (K-2, K-12)
 *
 * Nothing is handed to kafkajs's consumer, so nothing that a handler does can stop the fetching (K-10).
 */

import type { Assignment } from "@penstock/core";
import { type Clock, type ObserveFetch, PenstockError } from "@penstock/core";
import { KAFKA, kafkaRefusal } from "../../cluster/kafka-error.ts";
import { backoffMs } from "../../connection/backoff.ts";
import { type BatchHeads, readBatchHeads } from "../../decode/batch-head.ts";
import { CountedMemory, type CountMemory } from "../../decode/counted-memory.ts";
import {
  decodeRecordSet,
  emptyBatch,
  flatRowCount,
  type Undecodable,
} from "../../decode/decode-record-set.ts";
import { ProblemBoard } from "../../fetch/problem-board.ts";
import { judgeRefusal } from "../../fetch/refusal.ts";
import type { PartitionFetcher, PartitionFetcherEvents } from "../../source/partition-fetcher.ts";
import type { KafkajsBrokers } from "../client/kafkajs-client.ts";
import { Alarm } from "../group/alarm.ts";
import { readEnds } from "../start/log-ends.ts";
import { BrokerFetchLoop } from "./broker-fetch-loop.ts";
import type { FetchAnswer, FetchedPartition } from "./fetch-answer.ts";
import { type Asked, isCurrent, LaneFetch } from "./lane-fetch.ts";

export interface KafkajsFetcherOptions {
  readonly client: KafkajsBrokers;
  readonly clock: Clock;
  readonly maxWaitMs: number;
  readonly fetchBytesMax: number;
  readonly fetchPartitionBytesMax: number;
  readonly inflatedBytesMax: number;
  readonly countMemory: CountMemory;
  readonly observeFetch?: ObserveFetch | undefined;
}

interface ReadAnswer {
  readonly heads: ReadonlyMap<LaneFetch, BatchHeads>;
  readonly memory: CountedMemory;
}

const BACKOFF_BASE_MS = 100;
const BACKOFF_LIMIT_MS = 5_000;
/** Damaged bytes are fetched again this often before they count as lost. */
const DAMAGED_READS_MAX = 3;
const LASTING_FAILURES = 5;
/** Two empty answers, so that one odd answer of a broker never skips anything. */
const PROOFS_NEEDED = 2;
/** One record, for which more is asked than for others. */
const RECORD_BYTES_MAX = 100 * 1024 * 1024;
const SIZE_AT = 8;
const ENTRY_PREFIX_BYTES = 12;

export class KafkajsFetcher implements PartitionFetcher {
  readonly #options: KafkajsFetcherOptions;
  readonly #events: PartitionFetcherEvents;
  readonly #lanes = new Map<Assignment, LaneFetch>();
  readonly #loops = new Map<number, BrokerFetchLoop>();
  readonly #problems: ProblemBoard<LaneFetch>;
  readonly #routeAlarm: Alarm;
  #isClosed = false;

  constructor(options: KafkajsFetcherOptions, events: PartitionFetcherEvents) {
    this.#options = options;
    this.#events = events;
    this.#problems = new ProblemBoard((problem) => events.problem(problem));
    this.#routeAlarm = new Alarm(() => options.clock.nowMs());
    void this.#route();
  }

  set(key: Assignment, position: bigint): void {
    if (this.#isClosed) return;
    let lane = this.#lanes.get(key);
    if (lane) lane.jump(position);
    else {
      lane = new LaneFetch(key, position, this.#options.fetchPartitionBytesMax);
      this.#lanes.set(key, lane);
    }
    lane.isHalted = false;
    lane.damagedReads = 0;
    lane.bytesMax = this.#options.fetchPartitionBytesMax;
    this.#wake(lane);
  }

  pause(key: Assignment): void {
    const lane = this.#lanes.get(key);
    if (!lane) return;
    lane.isPaused = true;
    this.#problems.clear(lane);
  }

  resume(key: Assignment): void {
    const lane = this.#lanes.get(key);
    if (!lane?.isPaused) return;
    lane.isPaused = false;
    this.#wake(lane);
  }

  remove(key: Assignment): void {
    const lane = this.#lanes.get(key);
    if (!lane) return;
    lane.isRemoved = true;
    this.#lanes.delete(key);
    this.#detach(lane);
    this.#problems.clear(lane);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const lane of this.#lanes.values()) lane.isRemoved = true;
    this.#lanes.clear();
    for (const loop of this.#loops.values()) loop.close();
    this.#loops.clear();
    this.#routeAlarm.ring();
  }

  #wake(lane: LaneFetch): void {
    if (lane.node < 0) this.#routeAlarm.ring();
    else this.#loops.get(lane.node)?.wake();
  }

  /** Finds leaders for lanes that have none, for as long as the fetcher lives. */
  async #route(): Promise<void> {
    const { client, clock } = this.#options;
    while (!this.#isClosed) {
      const nowMs = clock.nowMs();
      const lost = [...this.#lanes.values()].filter((lane) => lane.node < 0);
      const due = lost.filter((lane) => lane.retryAtMs <= nowMs);
      if (due.length === 0) {
        await this.#routeAlarm.until(Math.min(...lost.map((lane) => lane.retryAtMs)));
        continue;
      }
      try {
        const { leaders } = await client.view();
        for (const lane of due) {
          const leader = leaders.get(lane.key.partition) ?? -1;
          if (lane.isRemoved) continue;
          if (leader >= 0) this.#attach(lane, leader);
          else {
            client.doubt();
            this.#retryLater(lane, kafkaRefusal(KAFKA.leaderNotAvailable, this.#subject(lane)));
          }
        }
      } catch (error) {
        const problem = client.problemOf(error, `topic "${client.topic}"`);
        for (const lane of due) this.#retryLater(lane, problem);
      }
    }
  }

  #attach(lane: LaneFetch, node: number): void {
    let loop = this.#loops.get(node);
    if (!loop) {
      loop = new BrokerFetchLoop(node, {
        ...this.#options,
        answered: (asked, answer) => this.#answered(asked, answer),
        failed: (asked, problem) => this.#failed(asked, problem),
      });
      this.#loops.set(node, loop);
    }
    lane.node = node;
    loop.lanes.add(lane);
    loop.wake();
  }

  #detach(lane: LaneFetch): void {
    const loop = this.#loops.get(lane.node);
    lane.node = -1;
    if (!loop?.lanes.delete(lane) || loop.lanes.size > 0) return;
    loop.close();
    this.#loops.delete(loop.node);
  }

  #failed(asked: readonly Asked[], problem: PenstockError): void {
    this.#options.client.doubt();
    for (const { lane } of asked) this.#retryLater(lane, problem);
  }

  #answered(asked: readonly Asked[], answer: FetchAnswer): void {
    const { clock } = this.#options;
    if (answer.errorCode !== KAFKA.none) {
      this.#failed(asked, kafkaRefusal(answer.errorCode, `topic "${this.#options.client.topic}"`));
      return;
    }
    const answers = new Map(answer.partitions.map((row) => [row.partition, row]));
    const read = this.#readHeads(asked, answers, answer.payload);
    const isEmpty = answer.partitions.every(({ start, end }) => start === end);
    for (const one of asked) {
      const fetched = answers.get(one.lane.key.partition);
      if (this.#isClosed || !fetched || !isCurrent(one)) continue;
      if (fetched.errorCode !== KAFKA.none) this.#refused(one.lane, fetched.errorCode);
      else {
        one.lane.failures = 0;
        if (one.lane.damagedReads === 0) this.#problems.clear(one.lane);
        this.#handOn(one, fetched, answer, read);
        // An answer without any record of anybody proves that there is none below the end that was known when it was asked for (K-4).
        const { lane, logEnd } = one;
        const isBehind = fetched.start === fetched.end && isCurrent(one) && logEnd > lane.position;
        if (!isBehind) continue;
        if (!isEmpty) lane.starvedSinceMs ??= clock.nowMs();
        else if (answer.throttleMs === 0) this.#proveHole(one, asked.length === 1 ? 2 : 1);
      }
    }
    if (!this.#isClosed) this.#events.responseEnd();
  }

  #proveHole({ lane, position, logEnd }: Asked, proof: number): void {
    const proofs = lane.emptyProofs + proof;
    lane.emptyProofs = proofs;
    if (proofs < PROOFS_NEEDED) return;
    lane.advance(logEnd);
    this.#events.records(lane.key, [emptyBatch(position, logEnd)]);
  }

  /** All that is decoded of an answer shares its payload, which lives as long as one view of it does. */
  #readHeads(
    asked: readonly Asked[],
    answers: ReadonlyMap<number, FetchedPartition>,
    payload: Buffer,
  ): ReadAnswer {
    const heads = new Map<LaneFetch, BatchHeads>();
    let rows = 0;
    for (const one of asked) {
      const { lane, position } = one;
      const fetched = answers.get(lane.key.partition);
      if (!fetched || fetched.start === fetched.end || !isCurrent(one)) continue;
      const { lastStableOffset: logEnd, highWatermark } = fetched;
      const all = readBatchHeads(payload, fetched.start, fetched.end, position);
      const found = lane.doubt.judge(all, { position, logEnd, highWatermark });
      heads.set(lane, found);
      rows += flatRowCount(found);
    }
    return { heads, memory: new CountedMemory(payload.length, rows, this.#options.countMemory) };
  }

  #handOn(one: Asked, fetched: FetchedPartition, answer: FetchAnswer, read: ReadAnswer): void {
    const { lane, position } = one;
    const { start, end, aborted, highWatermark, lastStableOffset, logStart } = fetched;
    lane.logEnd = lastStableOffset;
    this.#events.logEnds(lane.key, logStart, lastStableOffset, highWatermark);
    const heads = read.heads.get(lane);
    if (!heads || !isCurrent(one)) return;
    const buffer = answer.payload;
    if (answer.mayCutOff && this.#isCutOff(lane, buffer, start, end)) return;
    // In doubt for the first time: read again at once.
    if (heads.heads.length === 0 && heads.broken === null && lane.doubt.inARow === 1) return;
    const set = { buffer, heads, position, aborted, highWatermark, memory: read.memory };
    const { batches, nextOffset, undecodable } = decodeRecordSet(set, this.#options);
    lane.bytesMax = this.#options.fetchPartitionBytesMax;
    if (undecodable === null) lane.damagedReads = 0;
    if (nextOffset > position) lane.advance(nextOffset);
    // Kafka should never answer with batches that lie wholly before the position. If it does, it is not asked in a tight loop.
    else if (undecodable === null) lane.retryAtMs = this.#retryAtMs(3);
    const { generation } = lane;
    if (batches.length > 0) this.#events.records(lane.key, batches);
    const isStale = lane.isRemoved || lane.generation !== generation;
    if (undecodable !== null && !isStale) this.#undecodable(lane, undecodable);
  }

  /** Before version 3 of Fetch a record that is larger than what was asked for comes without its end: more is asked for. */
  #isCutOff(lane: LaneFetch, buffer: Buffer, start: number, end: number): boolean {
    const bytes = end - start;
    const isSizeKnown = bytes >= ENTRY_PREFIX_BYTES;
    const neededBytes = isSizeKnown
      ? ENTRY_PREFIX_BYTES + buffer.readInt32BE(start + SIZE_AT)
      : ENTRY_PREFIX_BYTES;
    if (isSizeKnown && neededBytes <= bytes) return false;
    if (neededBytes <= RECORD_BYTES_MAX) {
      lane.bytesMax = Math.max(neededBytes, lane.bytesMax);
      return true;
    }
    const reason = `larger than ${RECORD_BYTES_MAX} bytes`;
    const to = buffer.readBigInt64BE(start) + 1n;
    this.#undecodable(lane, { from: lane.position, to, reason, isTransient: true });
    return true;
  }

  #undecodable(lane: LaneFetch, { from, to, reason, isTransient }: Undecodable): void {
    lane.jump(from);
    if (isTransient && ++lane.damagedReads < DAMAGED_READS_MAX) {
      this.#retryLater(lane, kafkaRefusal(KAFKA.corruptMessage, this.#subject(lane)));
      return;
    }
    lane.damagedReads = 0;
    lane.isHalted = true;
    this.#problems.clear(lane);
    this.#events.undecodable(lane.key, from, to, reason);
  }

  #refused(lane: LaneFetch, errorCode: number): void {
    const verdict = judgeRefusal(errorCode, this.#subject(lane));
    if (verdict.is === "outOfRange") void this.#outOfRange(lane);
    else {
      if (verdict.isRouting) this.#options.client.doubt();
      this.#retryLater(lane, verdict.error);
    }
  }

  /** K-2: what the log holds is read and told; where to go on is not decided here. */
  async #outOfRange(lane: LaneFetch): Promise<void> {
    const { client } = this.#options;
    const { generation, position, key } = lane;
    const isStale = () => lane.isRemoved || lane.generation !== generation;
    lane.isHalted = true;
    try {
      const ends = (await readEnds(client, [key.partition])).get(key.partition);
      if (isStale()) return;
      if (!ends || ends instanceof PenstockError) throw ends ?? kafkaRefusal(-1, client.topic);
      const { logStart, highWatermark } = ends;
      if (position < logStart || position > highWatermark) {
        this.#problems.clear(lane);
        this.#events.outOfRange(key, position, logStart, highWatermark);
        return;
      }
      // The log has moved in the meantime, or its leader had fallen behind for a moment.
      lane.isHalted = false;
      this.#retryLater(lane, null);
    } catch (error) {
      if (isStale()) return;
      lane.isHalted = false;
      this.#retryLater(lane, client.problemOf(error, this.#subject(lane)));
    }
  }

  /** Off its broker, and back to wherever its leader is then, after a while. */
  #retryLater(lane: LaneFetch, problem: PenstockError | null): void {
    if (lane.isRemoved) return;
    lane.failures++;
    lane.retryAtMs = this.#retryAtMs(lane.failures);
    this.#detach(lane);
    this.#routeAlarm.ring();
    if (problem === null || lane.isPaused) return;
    // A leader that moves, a connection that ends, a topic that not every broker knows of yet: a problem when it lasts.
    const isDaily = problem.code === "kafkaUnavailable" || problem.code === "kafkaTopicMissing";
    if (!isDaily || lane.failures >= LASTING_FAILURES) this.#problems.set(lane, problem);
  }

  #retryAtMs(failures: number): number {
    return this.#options.clock.nowMs() + backoffMs(failures, BACKOFF_BASE_MS, BACKOFF_LIMIT_MS);
  }

  #subject({ key }: LaneFetch): string {
    return `topic "${this.#options.client.topic}", partition ${key.partition}`;
  }
}
