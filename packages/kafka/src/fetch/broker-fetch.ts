/**
 * The fetch loop of one fetcher with one broker.
 *
 *   main channel:  one incremental session; its long poll parks at the broker until records come or `maxWaitMs` is over
 *   wake channel:  opened when a partition joins (new, resumed, moved) while the long poll is parked without it: one request
 *                  outside any session, for those partitions only
 *
 * The next main request always names everything that is wanted, whatever the wake channel is doing: at worst both bring the same
 * records, and the second answer no longer fits the position. So a partition waits for nobody, and an idle broker soon holds one
 * parked request again.
 *
 * That is also why an idle long poll may be long: the wait doubles with each answer that brings nothing, up to `idleWaitMsMax`, and is
 * short again after the first record.
 *
 * A long poll that is about to answer anyway is not overtaken: one whose partitions are known to have records, or that was sent
 * only `SETTLE_MS` ago.
 */
import type { Clock, PenstockError } from "@penstock/core";
import type { Cluster } from "../cluster/cluster.ts";
import { kafkaRefusal } from "../cluster/kafka-error.ts";
import { THROTTLE_MS_MAX } from "../connection/throttle.ts";
import { isCurrent } from "./absorb-response.ts";
import { type Exchange, FetchChannel } from "./fetch-channel.ts";
import type { FetchCounters } from "./fetch-counters.ts";
import { type Asked, asked, FetchSession, requested } from "./fetch-session.ts";
import type { PartitionFetch } from "./partition-fetch.ts";
import {
  encodeFetchRequest,
  type FetchCall,
  SESSIONLESS_EPOCH,
  versionFor,
} from "./wire/fetch-request.ts";
import type { FetchResponse } from "./wire/fetch-response.ts";

export interface BrokerFetchOptions {
  readonly topic: string;
  readonly clock: Clock;
  readonly counters: FetchCounters;
  readonly fetchBytesMax: number;
  readonly fetchPartitionBytesMax: number;
  /** How long the broker may hold a request for which it has no records. */
  readonly maxWaitMs: number;
  /** The same once nothing has come for a while. */
  readonly idleWaitMsMax: number;
  /** How long after that an answer may take to arrive. */
  readonly answerGraceMs: number;
  readonly rack: string;
}

export interface BrokerFetchHost {
  /** Takes an answer in; what it returns is called after the next request was sent. `proof`: see absorbResponse. */
  answered(response: FetchResponse, asked: ReadonlyMap<string, Asked>, proof: number): () => void;
  /** Nothing can be fetched here now. The host takes the partitions away and brings them back later. */
  failed(broker: BrokerFetch, error: PenstockError): void;
}

const SETTLE_MS = 20;
/** A parked request with less than this to go is waited for. */
const NEARLY_DONE_MS = 10;
const WAKE_PAUSE_AFTER_FAILURE_MS = 1_000;
const WAKE_IDLE_MS = 30_000;
/** A partition whose records are left out for this long, because others fill the answers, is asked for alone. */
const STARVED_MS = 2_000;
const SESSION_RETRIES_MAX = 3;
const FETCH_SESSION_ID_NOT_FOUND = 70;
const INVALID_FETCH_SESSION_EPOCH = 71;
const FETCH_SESSION_TOPIC_ID_ERROR = 106;

const NOTHING: ReadonlyMap<string, Asked> = new Map();

export class BrokerFetch {
  readonly node: number;
  readonly partitions = new Set<PartitionFetch>();
  readonly #options: BrokerFetchOptions;
  readonly #host: BrokerFetchHost;
  readonly #main: FetchChannel;
  readonly #wake: FetchChannel;
  readonly #session = new FetchSession();
  #wakeAsked = NOTHING;
  #wakeNotBeforeMs = 0;
  /** The broker asked us to wait until then (quota). */
  #notBeforeMs = 0;
  #sessionFailures = 0;
  /** How long the next request of the main channel may be held, and the last one. */
  #waitMs: number;
  #sentWaitMs = 0;
  #timer: NodeJS.Timeout | null = null;
  #timerAtMs = 0;
  #isClosed = false;

  constructor(cluster: Cluster, node: number, options: BrokerFetchOptions, host: BrokerFetchHost) {
    const { topic, clock, counters } = options;
    this.node = node;
    this.#options = options;
    this.#host = host;
    this.#waitMs = options.maxWaitMs;
    this.#main = new FetchChannel(cluster, node, topic, clock, counters);
    this.#wake = new FetchChannel(cluster, node, topic, clock, counters);
  }

  /** Sends what should be on its way and is not. */
  pump(): void {
    if (this.#isClosed) return;
    const nowMs = this.#options.clock.nowMs();
    if (nowMs < this.#notBeforeMs) this.#pumpAt(this.#notBeforeMs);
    else if (this.#main.isBusy) this.#pumpWake(nowMs);
    else if (this.#wanted().length > 0) void this.#runMain();
    else this.#pumpWhenDue();
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#main.drop();
    this.#wake.drop();
  }

  /** What the request in flight on the main channel doesn't cover goes out on the wake channel, unless the answer is near. */
  #pumpWake(nowMs: number): void {
    const sentAtMs = this.#main.sentAtMs;
    // Still connecting: its request is built when it is sent.
    if (sentAtMs === null || nowMs < this.#wakeNotBeforeMs) return;
    const uncovered = this.#uncovered();
    const restMs = sentAtMs + this.#sentWaitMs - nowMs;
    if (uncovered.length === 0 || restMs < NEARLY_DONE_MS) return;
    if (uncovered.every((state) => covers(this.#wakeAsked, state))) return;
    let settledAtMs = settledAt(sentAtMs, this.#session.asked);
    if (this.#wake.isBusy) {
      if (this.#wake.sentAtMs === null) return;
      settledAtMs = Math.max(settledAtMs, settledAt(this.#wake.sentAtMs, this.#wakeAsked));
    }
    if (settledAtMs > nowMs) {
      this.#pumpAt(settledAtMs);
      return;
    }
    // Parked as well, when it is busy. It is outside any session, so ending it loses nothing.
    if (this.#wake.isBusy) this.#wake.drop();
    void this.#runWake(() => this.#uncovered(), Math.ceil(restMs), 1);
  }

  async #runMain(): Promise<void> {
    const { topic, fetchBytesMax, fetchPartitionBytesMax, counters } = this.#options;
    const maxWaitMs = this.#waitMs;
    this.#sentWaitMs = maxWaitMs;
    const build = (newest: number): FetchCall | null => {
      const wanted = this.#wanted();
      if (wanted.length === 0) return null;
      const next = this.#session.next(wanted, fetchPartitionBytesMax);
      const limits = { maxWaitMs, bytesMax: fetchBytesMax, rack: this.#rackFor(wanted) };
      const version = versionFor(newest, wanted);
      return { version, payload: encodeFetchRequest({ topic, ...next, ...limits }, version) };
    };
    const outcome = await this.#main.exchange(build, maxWaitMs + this.#options.answerGraceMs);
    if (this.#isClosed) return;
    if (outcome.is === "void") {
      this.pump();
      return;
    }
    if (outcome.is === "failed") {
      this.#session.reset();
      this.#host.failed(this, outcome.error);
      return;
    }
    const { response } = outcome;
    if (response.errorCode !== 0) {
      this.#refused(response.errorCode);
      return;
    }
    this.#sessionFailures = 0;
    if (response.sessionId !== 0 && !this.#session.isOpen) counters.sessionsOpened++;
    this.#session.accept(response.sessionId);
    const nowMs = this.#options.clock.nowMs();
    if (this.#wake.isIdleSince(nowMs - WAKE_IDLE_MS)) this.#wake.drop();
    this.#waitMs = Math.min(2 * this.#waitMs, this.#options.idleWaitMsMax);
    this.#handOn(response, this.#session.asked, 1);
  }

  async #runWake(select: () => PartitionFetch[], maxWaitMs: number, proof: number): Promise<void> {
    const { topic, fetchBytesMax, fetchPartitionBytesMax, counters } = this.#options;
    this.#wakeAsked = NOTHING;
    const build = (newest: number): FetchCall | null => {
      const states = select();
      if (states.length === 0) return null;
      counters.wakes++;
      this.#wakeAsked = new Map(states.map((state) => [state.id, asked(state)]));
      const partitions = states.map((state) => requested(state, fetchPartitionBytesMax));
      const outside = { sessionId: 0, sessionEpoch: SESSIONLESS_EPOCH, forgotten: [] };
      const limits = { maxWaitMs, bytesMax: fetchBytesMax, rack: this.#rackFor(states) };
      const version = versionFor(newest, states);
      const request = { topic, ...outside, ...limits, partitions };
      return { version, payload: encodeFetchRequest(request, version) };
    };
    const outcome: Exchange = await this.#wake.exchange(
      build,
      maxWaitMs + this.#options.answerGraceMs,
    );
    // Void also when it was dropped for a newer one, which has set #wakeAsked by now.
    if (this.#isClosed || outcome.is === "void") return;
    const { response = null } = outcome.is === "answered" ? outcome : {};
    const wakeAsked = this.#wakeAsked;
    this.#wakeAsked = NOTHING;
    if (response === null || response.errorCode !== 0) {
      // The main channel covers these partitions with its next request, and reports what is wrong with the broker.
      this.#wakeNotBeforeMs = this.#options.clock.nowMs() + WAKE_PAUSE_AFTER_FAILURE_MS;
      return;
    }
    this.#handOn(response, wakeAsked, wakeAsked.size === 1 ? proof : 1);
  }

  #handOn(response: FetchResponse, requests: ReadonlyMap<string, Asked>, proof: number): void {
    if (!this.#isQuiet(response)) this.#waitMs = this.#options.maxWaitMs;
    if (response.muteMs > 0)
      this.#notBeforeMs = this.#options.clock.nowMs() + Math.min(response.muteMs, THROTTLE_MS_MAX);
    const handOn = this.#host.answered(response, requests, proof);
    this.pump();
    this.#probeStarved();
    handOn();
  }

  /** Nothing came, and nothing that is known to exist is missing. */
  #isQuiet(response: FetchResponse): boolean {
    for (const { errorCode, recordsStart, recordsEnd } of response.partitions)
      if (errorCode !== 0 || recordsEnd > recordsStart) return false;
    for (const { logEnd, position } of this.partitions) if (logEnd > position) return false;
    return true;
  }

  #refused(errorCode: number): void {
    this.#session.reset();
    const isOfSession =
      errorCode === FETCH_SESSION_ID_NOT_FOUND ||
      errorCode === INVALID_FETCH_SESSION_EPOCH ||
      errorCode === FETCH_SESSION_TOPIC_ID_ERROR;
    if (isOfSession && this.#sessionFailures++ < SESSION_RETRIES_MAX) this.pump();
    else this.#host.failed(this, kafkaRefusal(errorCode, `broker ${this.node}`));
  }

  #probeStarved(): void {
    const nowMs = this.#options.clock.nowMs();
    if (this.#isClosed || this.#wake.isBusy || nowMs < this.#notBeforeMs) return;
    const isStarved = (state: PartitionFetch) =>
      state.starvedSinceMs !== null && state.starvedSinceMs + STARVED_MS <= nowMs;
    const starved = this.#wanted().find(isStarved);
    if (starved) void this.#runWake(() => (isStarved(starved) ? [starved] : []), 0, 2);
  }

  /** A request names one rack; without one a leader sends nobody elsewhere. */
  #rackFor(states: readonly PartitionFetch[]): string {
    const nowMs = this.#options.clock.nowMs();
    return states.some((state) => state.leaderOnlyUntilMs > nowMs) ? "" : this.#options.rack;
  }

  #wanted(): PartitionFetch[] {
    const nowMs = this.#options.clock.nowMs();
    const wanted: PartitionFetch[] = [];
    for (const state of this.partitions) if (state.isWanted(nowMs)) wanted.push(state);
    return wanted;
  }

  #uncovered(): PartitionFetch[] {
    return this.#wanted().filter((state) => !covers(this.#session.asked, state));
  }

  /** Nothing is wanted now: some partition may be, later. */
  #pumpWhenDue(): void {
    const nowMs = this.#options.clock.nowMs();
    let atMs = Number.POSITIVE_INFINITY;
    for (const state of this.partitions)
      if (state.retryAtMs > nowMs && state.isWanted(state.retryAtMs))
        atMs = Math.min(atMs, state.retryAtMs);
    if (atMs < Number.POSITIVE_INFINITY) this.#pumpAt(atMs);
  }

  #pumpAt(atMs: number): void {
    if (this.#timer !== null && this.#timerAtMs <= atMs) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    const run = () => {
      this.#timer = null;
      this.pump();
    };
    this.#timer = setTimeout(run, Math.max(1, Math.ceil(atMs - this.#options.clock.nowMs())));
  }
}

function covers(requests: ReadonlyMap<string, Asked>, state: PartitionFetch): boolean {
  const request = requests.get(state.id);
  return request !== undefined && request.state === state && isCurrent(request);
}

/** When a request counts as parked: at once when none of its partitions is known to have records. */
function settledAt(sentAtMs: number, requests: ReadonlyMap<string, Asked>): number {
  for (const { logEnd, position } of requests.values())
    if (logEnd < 0n || logEnd > position) return sentAtMs + SETTLE_MS;
  return sentAtMs;
}
