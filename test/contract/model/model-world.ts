import { randomUUID } from "node:crypto";
import { Code, ConnectError } from "@connectrpc/connect";
import { isLegalTransition, type MappingState } from "@penstock/core";
import { mapping } from "@penstock/proto";
import { TestFunction, type World, waitUntil } from "@penstock/testkit";
import { expect } from "vitest";
import type { MappingModel, ModelMapping } from "./mapping-model.ts";

export type Mapping = mapping.EventSourceMapping;

export const SLOTS = 3;
const TOPICS = 2;
const PARTITIONS = 2;
const SETTLE_MS_MAX = 60_000;

/** The real service, with a function and a topic for each slot; two slots share a topic, two a function. */
export class ModelWorld {
  readonly world: World;
  readonly functions: readonly TestFunction[];
  readonly #topics = Array.from({ length: TOPICS }, () => `model-${randomUUID()}`);
  readonly #brokers: readonly string[];

  private constructor(world: World, functions: readonly TestFunction[], brokers: string) {
    this.world = world;
    this.functions = functions;
    this.#brokers = brokers.split(",");
  }

  static async start(world: World, brokers: string): Promise<ModelWorld> {
    const functions = await Promise.all([TestFunction.start(), TestFunction.start()]);
    const self = new ModelWorld(world, functions, brokers);
    for (const topic of self.#topics)
      await world.admin.createTopic(topic, { partitions: PARTITIONS });
    for (const [index, { url }] of functions.entries()) {
      await world.functions.putFunction({
        function: { name: `model-${index}`, target: { case: "http", value: { url } } },
      });
    }
    return self;
  }

  async stop(): Promise<void> {
    await Promise.all(this.functions.map((each) => each.stop()));
  }

  functionName(slot: number): string {
    return `model-${slot === 2 ? 1 : 0}`;
  }

  topic(slot: number): string {
    return this.#topics[slot === 0 ? 0 : 1] as string;
  }

  async create(slot: number, batchSize: number, requestId: string): Promise<Mapping> {
    const { eventSourceMapping } = await this.world.mappings.createEventSourceMapping({
      requestId,
      functionName: this.functionName(slot),
      topics: [this.topic(slot)],
      selfManagedEventSource: { endpoints: { kafkaBootstrapServers: [...this.#brokers] } },
      batchSize,
      maximumBatchingWindow: { seconds: 0n, nanos: 0 },
      startingPosition: mapping.StartingPosition.TRIM_HORIZON,
    });
    return there(eventSourceMapping);
  }

  async update(
    uuid: string,
    change: { batchSize?: number; enabled?: boolean; etag?: string },
  ): Promise<Mapping> {
    const { eventSourceMapping } = await this.world.mappings.updateEventSourceMapping({
      uuid,
      ...change,
    });
    return there(eventSourceMapping);
  }

  async delete(uuid: string): Promise<Mapping> {
    const { eventSourceMapping } = await this.world.mappings.deleteEventSourceMapping({ uuid });
    return there(eventSourceMapping);
  }

  /** Null when there is none. */
  async find(uuid: string): Promise<Mapping | null> {
    const answer = await outcome(() => this.world.get(uuid));
    if (answer.code === Code.NotFound) return null;
    if (answer.value === null) throw answer.error;
    return answer.value;
  }

  async listAll(): Promise<Mapping[]> {
    const all: Mapping[] = [];
    let pageToken = "";
    do {
      const page = await this.world.mappings.listEventSourceMappings({ pageSize: 2, pageToken });
      all.push(...page.eventSourceMappings);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    return all;
  }

  /** Waits until the mapping is steady, or gone when it is being deleted; null = gone. */
  async settle({ uuid, isDeleting }: ModelMapping): Promise<Mapping | null> {
    let found: Mapping | null = null;
    await waitUntil(
      isDeleting ? `${uuid} is gone` : `${uuid} is steady`,
      async () => {
        found = await this.find(uuid);
        return isDeleting ? found === null : found !== null && isSteady(found.state);
      },
      SETTLE_MS_MAX,
    );
    return found;
  }

  async kill(): Promise<void> {
    await this.world.mappingService.kill();
  }

  async restart(): Promise<void> {
    await this.world.startMappingService();
  }

  write(slot: number, count: number): Promise<void> {
    return this.world.writer.sendKeyed(this.topic(slot), count, PARTITIONS, 50);
  }

  /** No call began in a time in which the mapping was reported as stopped. */
  assertQuiet({ quiet }: MappingModel): void {
    const deliveries = this.functions.flatMap(({ deliveries: all }) => all);
    const wrong = quiet.flatMap(({ uuid, fromMs, untilMs }) =>
      deliveries.filter(
        ({ mappingId, startMs }) => mappingId === uuid && startMs > fromMs && startMs < untilMs,
      ),
    );
    expect(wrong, "calls after DISABLED or the end was reported").toEqual([]);
  }

  /** What is on record of a mapping is one chain of legal changes of state, from one creation. */
  async assertLegalHistory(uuid: string): Promise<void> {
    const events: mapping.MappingEvent[] = [];
    let pageToken = "";
    do {
      const page = await this.world.mappings.listEventSourceMappingEvents({ uuid, pageToken });
      events.unshift(...page.events.toReversed());
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(events.filter(({ kind }) => kind === "created")).toHaveLength(1);
    let state: MappingState = "Creating";
    for (const { stateBefore, stateAfter, kind } of events) {
      if (stateBefore === stateAfter || stateAfter === 0 || stateBefore === 0) continue;
      const [from, to] = [stateName(stateBefore), stateName(stateAfter)];
      expect(from, `${uuid}: before ${kind} to ${to}`).toBe(state);
      expect(isLegalTransition(from, to), `${uuid}: ${from} to ${to}`).toBe(true);
      state = to;
    }
  }
}

function isSteady(state: mapping.MappingState): boolean {
  return state === mapping.MappingState.ENABLED || state === mapping.MappingState.DISABLED;
}

/** `CREATING` is `Creating`. */
function stateName(state: mapping.MappingState): MappingState {
  const names = Object.entries(mapping.MappingState);
  const name = names.find(([, number]) => number === state)?.[0] ?? "";
  return `${name.slice(0, 1)}${name.slice(1).toLowerCase()}` as MappingState;
}

export interface Outcome<T> {
  readonly value: T | null;
  readonly code: Code | null;
  readonly error: unknown;
}

/** The answer or the refusal of a call. */
export async function outcome<T>(call: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await call(), code: null, error: null };
  } catch (error) {
    return { value: null, code: ConnectError.from(error).code, error };
  }
}

function there(found: Mapping | undefined): Mapping {
  if (found === undefined) throw new Error("an answer without a mapping");
  return found;
}
