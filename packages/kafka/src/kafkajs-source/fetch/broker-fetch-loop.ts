/**
 * Fetches from one broker what its lanes want, one request after the other. Lanes that are paused are left out, so a full one never holds up the others (K-3), and
 * a lane that wants records again joins at the end of the present long poll.
 */
import { type Clock, type ObserveFetch, PenstockError } from "@penstock/core";
import { toKafkaError } from "../../cluster/kafka-error.ts";
import type { KafkajsBrokers } from "../client/kafkajs-client.ts";
import { Alarm } from "../group/alarm.ts";
import { type FetchAnswer, readFetchAnswer } from "./fetch-answer.ts";
import type { Asked, LaneFetch } from "./lane-fetch.ts";

export interface BrokerFetchLoopOptions {
  readonly client: KafkajsBrokers;
  readonly clock: Clock;
  readonly maxWaitMs: number;
  readonly fetchBytesMax: number;
  readonly observeFetch?: ObserveFetch | undefined;
  readonly answered: (asked: readonly Asked[], answer: FetchAnswer) => void;
  readonly failed: (asked: readonly Asked[], problem: PenstockError) => void;
}

const CONSUMER = -1;
const READ_COMMITTED = 1;
/** After so many answers without a record a request that has every lane in it may be parked for longer: nobody waits for its end. */
const IDLE_ANSWERS = 8;
const IDLE_WAIT_MS = 1_000;
/** A lane that gets nothing although there is something is asked for alone after this. */
const STARVED_MS = 2_000;

export class BrokerFetchLoop {
  readonly node: number;
  readonly lanes = new Set<LaneFetch>();
  readonly #options: BrokerFetchLoopOptions;
  readonly #alarm: Alarm;
  #isClosed = false;
  #turn = 0;
  #emptyAnswers = 0;

  constructor(node: number, options: BrokerFetchLoopOptions) {
    this.node = node;
    this.#options = options;
    this.#alarm = new Alarm(() => options.clock.nowMs());
    void this.#run();
  }

  /** A lane wants something. */
  wake(): void {
    this.#alarm.ring();
  }

  close(): void {
    this.#isClosed = true;
    this.#alarm.ring();
  }

  async #run(): Promise<void> {
    const { clock, answered, failed } = this.#options;
    while (!this.#isClosed) {
      const lanes = this.#wanted(clock.nowMs());
      if (lanes.length === 0) {
        await this.#alarm.until(this.#nextRetryMs());
        continue;
      }
      const asked = lanes.map((lane) => {
        const { generation, position, logEnd } = lane;
        return { lane, generation, position, logEnd };
      });
      let answer: FetchAnswer | PenstockError;
      try {
        answer = await this.#ask(asked);
      } catch (error) {
        answer = toKafkaError(error, `broker ${this.node}`);
      }
      if (this.#isClosed) return;
      // What handlers throw is a bug, and not for kafkajs nor for a retry (K-10).
      if (answer instanceof PenstockError) failed(asked, answer);
      else answered(asked, answer);
    }
  }

  /** In turns: brokers fill an answer from the front. */
  #wanted(nowMs: number): LaneFetch[] {
    const lanes = [...this.lanes].filter((lane) => lane.isWanted(nowMs));
    const starved = lanes.find(
      ({ starvedSinceMs }) => starvedSinceMs !== null && nowMs - starvedSinceMs > STARVED_MS,
    );
    if (starved) return [starved];
    const first = this.#turn++ % Math.max(1, lanes.length);
    return [...lanes.slice(first), ...lanes.slice(0, first)];
  }

  #nextRetryMs(): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const lane of this.lanes)
      if (!lane.isPaused && !lane.isHalted) nextMs = Math.min(nextMs, lane.retryAtMs);
    return nextMs;
  }

  async #ask(asked: readonly Asked[]): Promise<FetchAnswer> {
    const { client, clock, maxWaitMs, fetchBytesMax, observeFetch } = this.#options;
    const sentAtMs = clock.nowMs();
    const isIdle = this.#emptyAnswers >= IDLE_ANSWERS && asked.length === this.lanes.size;
    const broker = await client.broker(this.node);
    const partitions = asked.map(({ lane, position }) => ({
      partition: lane.key.partition,
      fetchOffset: String(position),
      maxBytes: lane.bytesMax,
    }));
    const answer = await client.send<FetchAnswer>(
      broker,
      "Fetch",
      {
        replicaId: CONSUMER,
        isolationLevel: READ_COMMITTED,
        maxWaitTime: isIdle ? Math.max(IDLE_WAIT_MS, maxWaitMs) : maxWaitMs,
        minBytes: 1,
        maxBytes: Math.max(fetchBytesMax, ...partitions.map(({ maxBytes }) => maxBytes)),
        topics: [{ topic: client.topic, partitions }],
        rackId: "",
      },
      { decode: readFetchAnswer },
    );
    const isEmpty = answer.partitions.every(({ start, end }) => start === end);
    this.#emptyAnswers = isEmpty ? this.#emptyAnswers + 1 : 0;
    observeFetch?.(clock.nowMs() - sentAtMs, answer.payload.length);
    return answer;
  }
}
