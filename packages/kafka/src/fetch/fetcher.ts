/**
 * Fetches partitions of one topic for one event poller: from their leaders, in order, each from its position on.
 *
 *   set ─▶ routed to its leader ─▶ fetched ─▶ records … ─▶ remove
 *             ▲    │ leader moved, connection lost, refused: later, with backoff and jitter
 *             └────┘
 *          out of range, undecodable: told, and left alone until the next `set`
 *
 * Events are synchronous calls, never made from within `set`, `pause`, `resume` or `remove`; an event handler may call all of these. For one
 * partition, records come in order and without a hole from the position given, and nothing comes for an overtaken position or
 * after `remove`. Each RecordBatch is handed over with its memory held once.
 *
 * Idle, it costs one parked request per broker and no timer of its own.
 */
import { type Clock, PenstockError } from "@penstock/core";
import type { Cluster, TopicMetadata } from "../cluster/cluster.ts";
import { KAFKA, kafkaRefusal, toKafkaError } from "../cluster/kafka-error.ts";
import { backoffMs } from "../connection/backoff.ts";
import { decodeRecordSet, emptyBatch, type Undecodable } from "../decode/decode-record-set.ts";
import { type Absorbed, absorbResponse, type FetchWork } from "./absorb-response.ts";
import { BrokerFetch, type BrokerFetchOptions } from "./broker-fetch.ts";
import { FetchCounters } from "./fetch-counters.ts";
import type { Asked } from "./fetch-session.ts";
import type { FetcherEvents, FetcherOptions } from "./fetcher-options.ts";
import { readLogRange } from "./log-range.ts";
import { type FetchKey, PartitionFetch } from "./partition-fetch.ts";
import { PartitionRouter } from "./partition-router.ts";
import { ProblemBoard } from "./problem-board.ts";
import { judgeRefusal } from "./refusal.ts";
import type { FetchResponse } from "./wire/fetch-response.ts";

const PROCESS_CLOCK: Clock = { nowMs: () => performance.now(), wallMs: () => Date.now() };
const MAX_WAIT_MS = 500;
const IDLE_WAIT_MS_MAX = 5_000;
const ANSWER_GRACE_MS = 10_000;
const BACKOFF_BASE_MS = 100;
const BACKOFF_LIMIT_MS = 5_000;
/** Damaged bytes are fetched again this often before they count as lost: most damage happens on the way. */
const DAMAGED_READS_MAX = 3;
const REPLICA_VALID_MS = 300_000;
/** How often it is looked whether followers that are fetched from are in sync still. */
const REPLICA_CHECK_MS = 5_000;
/** After a follower failed a partition: how long its leader is asked for the records themselves. */
const LEADER_ONLY_MS = 30_000;
const LASTING_FAILURES = 5;

export class Fetcher<K extends FetchKey = FetchKey> {
  readonly counters: FetchCounters;
  readonly #cluster: Cluster;
  readonly #options: FetcherOptions;
  readonly #clock: Clock;
  readonly #events: FetcherEvents<K>;
  readonly #brokerOptions: BrokerFetchOptions;
  readonly #partitions = new Map<K, PartitionFetch<K>>();
  readonly #brokers = new Map<number, BrokerFetch>();
  readonly #router: PartitionRouter;
  readonly #problems: ProblemBoard<PartitionFetch>;
  #replicasCheckedAtMs = Number.NEGATIVE_INFINITY;
  #isKicked = false;
  #isClosed = false;

  constructor(cluster: Cluster, options: FetcherOptions, events: FetcherEvents<K>) {
    const { clock = PROCESS_CLOCK, fetchBytesMax, fetchPartitionBytesMax } = options;
    const maxWaitMs = options.maxWaitMs ?? MAX_WAIT_MS;
    this.counters = new FetchCounters(options.observeFetch);
    this.#clock = clock;
    this.#cluster = cluster;
    this.#options = options;
    this.#events = events;
    this.#brokerOptions = {
      topic: options.topic,
      clock,
      counters: this.counters,
      fetchBytesMax,
      fetchPartitionBytesMax,
      maxWaitMs,
      idleWaitMsMax: Math.max(maxWaitMs, options.idleWaitMsMax ?? IDLE_WAIT_MS_MAX),
      answerGraceMs: options.answerGraceMs ?? ANSWER_GRACE_MS,
      rack: options.clientRack ?? "",
    };
    this.#problems = new ProblemBoard((problem) => events.problem(problem));
    this.#router = new PartitionRouter(cluster, options.topic, clock, {
      routed: (state, node) => this.#attach(state, node),
      failed: (state, error) => this.#retryLater(state, error),
      due: () => this.#pump(),
    });
  }

  /** Starts fetching at `position`, or moves there. A pause stays. */
  set(key: K, position: bigint): void {
    if (this.#isClosed) return;
    const known = this.#partitions.get(key);
    if (known) {
      known.jump(position);
      known.isHalted = false;
      known.damagedReads = 0;
    } else {
      const state = new PartitionFetch(key, position);
      // A new assignment of a partition takes the place of the old one: a session holds each partition once.
      for (const old of this.#partitions.values()) if (old.id === state.id) this.remove(old.key);
      this.#partitions.set(key, state);
      this.#router.add(state);
    }
    this.#kick();
  }

  /** Asks for no more records. What is on its way still arrives. */
  pause(key: K): void {
    const state = this.#partitions.get(key);
    if (!state) return;
    state.isPaused = true;
    this.#problems.clear(state);
  }

  /** Goes on after the last record that was handed over, without waiting for a parked long poll. */
  resume(key: K): void {
    const state = this.#partitions.get(key);
    if (!state?.isPaused) return;
    state.isPaused = false;
    this.#kick();
  }

  remove(key: K): void {
    const state = this.#partitions.get(key);
    if (!state) return;
    state.isRemoved = true;
    this.#partitions.delete(key);
    this.#detach(state);
    this.#router.remove(state);
    this.#problems.clear(state);
  }

  /** Tries again at once what waits after a failure. */
  wake(): void {
    for (const state of this.#partitions.values()) state.retryAtMs = 0;
    this.#kick();
  }

  /** Closes the connections. No event comes after this call. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const state of this.#partitions.values()) state.isRemoved = true;
    this.#partitions.clear();
    this.#router.close();
    for (const broker of this.#brokers.values()) broker.close();
    this.#brokers.clear();
  }

  /** Once per turn of the event loop, however many calls were made in it. */
  #kick(): void {
    if (this.#isKicked) return;
    this.#isKicked = true;
    queueMicrotask(() => {
      this.#isKicked = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#isClosed) return;
    this.#router.route();
    for (const broker of [...this.#brokers.values()]) broker.pump();
  }

  #attach(state: PartitionFetch, node: number): void {
    let broker = this.#brokers.get(node);
    if (!broker) {
      broker = new BrokerFetch(this.#cluster, node, this.#brokerOptions, {
        answered: (response, asked, proof) => this.#answered(response, asked, proof),
        failed: (failed, error) => this.#failed(failed, error),
      });
      this.#brokers.set(node, broker);
    }
    if (state.node !== node) state.logEnd = -1n;
    state.node = node;
    broker.partitions.add(state);
    // Brokers that name topics can't tell two with the same name apart; the metadata know only the one that was routed just now.
    for (const old of broker.partitions)
      if (old.partition === state.partition && old !== state) this.#retryLater(old, null);
    this.#kick();
  }

  #detach(state: PartitionFetch): void {
    const broker = this.#brokers.get(state.node);
    if (!broker?.partitions.delete(state) || broker.partitions.size > 0) return;
    broker.close();
    this.#brokers.delete(broker.node);
  }

  #answered(response: FetchResponse, asked: ReadonlyMap<string, Asked>, proof: number): () => void {
    const nowMs = this.#clock.nowMs();
    const { countMemory } = this.#options;
    const { counters } = this;
    const absorbed = absorbResponse(response, asked, { nowMs, countMemory, counters, proof });
    let isOnReplica = false;
    for (const state of absorbed.sound) {
      state.failures = 0;
      if (state.damagedReads === 0) this.#problems.clear(state);
      if (state.replica === null) continue;
      isOnReplica = true;
      if (state.replica.untilMs < nowMs) this.#toLeader(state);
    }
    for (const state of absorbed.doubtful) this.#leaveReplica(state);
    if (isOnReplica && this.#replicasCheckedAtMs + REPLICA_CHECK_MS <= nowMs)
      void this.#checkReplicas(nowMs);
    for (const { state, node } of absorbed.redirected) {
      state.replica = { node, untilMs: nowMs + REPLICA_VALID_MS };
      this.#detach(state);
      this.#attach(state, node);
    }
    for (const { state, errorCode } of absorbed.refused) this.#refused(state, errorCode);
    return () => this.#handOn(absorbed);
  }

  #handOn(absorbed: Absorbed): void {
    for (const work of absorbed.work) this.#handOnPartition(work, absorbed);
    if (!this.#isClosed) this.#events.responseEnd();
  }

  #handOnPartition(work: FetchWork, { buffer, memory }: Absorbed): void {
    const { generation, position, fetched, heads, holeEnd } = work;
    const state = work.state as PartitionFetch<K>;
    const { key } = state;
    const isStale = () => state.isRemoved || state.generation !== generation;
    if (isStale()) return;
    if (fetched !== null) {
      // Before Fetch 5 the log start is not told. It only rises, so an old one is right as far as it goes.
      if (fetched.logStart >= 0n) state.logStart = fetched.logStart;
      this.#events.logEnds(key, state.logStart, state.logEnd, fetched.highWatermark);
    }
    if (isStale()) return;
    if (holeEnd !== null) this.#events.records(key, [emptyBatch(position, holeEnd)]);
    if (fetched === null || heads === null) return;
    const { aborted, highWatermark } = fetched;
    const decoded = decodeRecordSet(
      { buffer, heads, position, aborted, highWatermark, memory },
      this.#options,
    );
    if (decoded.undecodable === null && state.damagedReads > 0) {
      state.damagedReads = 0;
      this.#problems.clear(state);
    }
    if (decoded.batches.length > 0) this.#events.records(key, decoded.batches);
    if (decoded.undecodable !== null && !isStale()) this.#undecodable(state, decoded.undecodable);
  }

  #undecodable(state: PartitionFetch<K>, { from, to, reason, isTransient }: Undecodable): void {
    state.jump(from);
    if (isTransient && ++state.damagedReads < DAMAGED_READS_MAX) {
      this.counters.damagedReads++;
      state.isHalted = false;
      this.#retryLater(state, kafkaRefusal(KAFKA.corruptMessage, this.#subject(state)));
      return;
    }
    state.damagedReads = 0;
    state.isHalted = true;
    this.#problems.clear(state);
    this.#events.undecodable(state.key, from, to, reason);
  }

  #refused(state: PartitionFetch, errorCode: number): void {
    const verdict = judgeRefusal(errorCode, this.#subject(state));
    // Also a position that is out of range: a follower may lag behind its leader at both ends of the log.
    if (state.replica !== null) this.#leaveReplica(state);
    else if (verdict.is === "outOfRange") void this.#outOfRange(state as PartitionFetch<K>);
    else {
      if (verdict.isRouting) this.#cluster.invalidate(this.#options.topic);
      this.#retryLater(state, verdict.error);
    }
  }

  /** A follower can't serve it. Should its leader send it there again nevertheless, not in a tight loop. */
  #leaveReplica(state: PartitionFetch): void {
    const nowMs = this.#clock.nowMs();
    const isAgain = state.leaderOnlyUntilMs > nowMs;
    state.leaderOnlyUntilMs = nowMs + LEADER_ONLY_MS;
    if (isAgain) this.#retryLater(state, null);
    else this.#toLeader(state);
  }

  /** A leader sends readers also to followers that are not in sync; what it gets later may never come to one of these. */
  async #checkReplicas(nowMs: number): Promise<void> {
    this.#replicasCheckedAtMs = nowMs;
    let metadata: TopicMetadata;
    try {
      metadata = await this.#cluster.metadata(this.#options.topic);
    } catch (error) {
      // What is wrong shows where metadata are needed.
      if (error instanceof PenstockError) return;
      throw error;
    }
    for (const state of this.#partitions.values()) {
      const row = metadata.partitions.find(({ partition }) => partition === state.partition);
      const node = state.replica?.node;
      if (row && node !== undefined && !row.inSync.includes(node)) this.#leaveReplica(state);
    }
  }

  /** It is time to ask the leader who is best. */
  #toLeader(state: PartitionFetch): void {
    state.replica = null;
    this.#detach(state);
    this.#router.add(state);
    this.#kick();
  }

  async #outOfRange(state: PartitionFetch<K>): Promise<void> {
    const { generation, position, node } = state;
    const isStale = () => state.isRemoved || state.generation !== generation;
    state.isHalted = true;
    try {
      const { topic } = this.#options;
      const range = await readLogRange(this.#cluster, node, topic, state.partition);
      if (isStale()) return;
      state.logStart = range.logStart;
      const isInside = range.logStart <= position && position <= range.logEnd;
      if (!isInside) {
        this.#problems.clear(state);
        this.#events.outOfRange(state.key, position, range.logStart, range.logEnd);
        return;
      }
      // The log has moved in the meantime, or its leader had fallen behind for a moment.
      state.isHalted = false;
      this.#retryLater(state, null);
    } catch (error) {
      if (isStale()) return;
      state.isHalted = false;
      this.#retryLater(state, toKafkaError(error, this.#subject(state)));
    }
  }

  #failed(broker: BrokerFetch, error: PenstockError): void {
    this.counters.failures++;
    this.#cluster.invalidate(this.#options.topic);
    let failures = 0;
    for (const state of broker.partitions) failures = Math.max(failures, state.failures);
    // All at the same time, so that they come back in one request.
    const retryAtMs = this.#retryAtMs(failures + 1);
    for (const state of [...broker.partitions]) this.#retryLater(state, error, retryAtMs);
  }

  /** Off its broker, and back to wherever its leader is then, after a while. */
  #retryLater(
    state: PartitionFetch,
    error: PenstockError | null,
    retryAtMs = this.#retryAtMs(state.failures + 1),
  ): void {
    if (state.isRemoved) return;
    state.failures++;
    if (state.replica !== null) state.leaderOnlyUntilMs = this.#clock.nowMs() + LEADER_ONLY_MS;
    state.replica = null;
    state.retryAtMs = retryAtMs;
    this.#detach(state);
    this.#router.add(state);
    if (error === null || state.isPaused) return;
    // A leader that moves, a connection that ends, a topic that not every broker knows of yet: a problem when it lasts.
    const isDaily = error.code === "kafkaUnavailable" || error.code === "kafkaTopicMissing";
    if (!isDaily || state.failures >= LASTING_FAILURES) this.#problems.set(state, error);
  }

  #retryAtMs(failures: number): number {
    return this.#clock.nowMs() + backoffMs(failures, BACKOFF_BASE_MS, BACKOFF_LIMIT_MS);
  }

  #subject(state: PartitionFetch): string {
    return `topic "${this.#options.topic}", partition ${state.partition}`;
  }
}
