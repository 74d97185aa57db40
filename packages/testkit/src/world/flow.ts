import { randomUUID } from "node:crypto";
import type { mapping } from "@penstock/proto";
import type { Message } from "kafkajs";
import { checkRun } from "../checkers/check-run.ts";
import type { PollerEvent } from "../history/poller-event.ts";
import { waitUntil } from "../wait-until.ts";
import { TestFunction } from "./test-function.ts";
import type { MappingOptions, World } from "./world.ts";

export interface FlowOptions {
  /** Default 1. */
  readonly partitions?: number;
  readonly topicConfigs?: Readonly<Record<string, string>>;
  /** Default 5 s. */
  readonly functionTimeoutMs?: number;
  readonly payloadBytesMax?: number;
  /** URL of another HTTP function; default: the flow's own. */
  readonly url?: string;
  /** host:port of a gRPC function. */
  readonly grpcAddress?: string;
  /** `null` creates none. */
  readonly mapping?: MappingOptions | null;
}

/** A topic, a function and a mapping of their own, so that several cases can share one world. */
export class Flow {
  readonly name = `flow-${randomUUID()}`;
  readonly partitions: number;
  readonly function: TestFunction;
  readonly world: World;
  mappingId = "";
  readonly #options: FlowOptions;

  private constructor(world: World, target: TestFunction, options: FlowOptions) {
    this.world = world;
    this.function = target;
    this.partitions = options.partitions ?? 1;
    this.#options = options;
  }

  static async start(world: World, options: FlowOptions = {}): Promise<Flow> {
    const flow = new Flow(world, await TestFunction.start(), options);
    const { partitions = 1, topicConfigs = {} } = options;
    await world.admin.createTopic(flow.topic, { partitions, configs: topicConfigs });
    await flow.putFunction();
    if (options.mapping !== null) await flow.createMapping(options.mapping);
    return flow;
  }

  get topic(): string {
    return this.name;
  }

  /** Stores the function (again), with other options if wanted. */
  async putFunction(changes: Partial<FlowOptions> = {}): Promise<void> {
    const {
      functionTimeoutMs = 5000,
      payloadBytesMax,
      grpcAddress,
      url,
    } = {
      ...this.#options,
      ...changes,
    };
    await this.world.functions.putFunction({
      function: {
        name: this.name,
        target:
          grpcAddress === undefined
            ? { case: "http", value: { url: url ?? this.function.url } }
            : { case: "grpc", value: { address: grpcAddress } },
        timeout: {
          seconds: BigInt(Math.floor(functionTimeoutMs / 1000)),
          nanos: (functionTimeoutMs % 1000) * 1_000_000,
        },
        ...(payloadBytesMax !== undefined && { payloadBytesMax: BigInt(payloadBytesMax) }),
      },
    });
  }

  async createMapping(options: MappingOptions = {}): Promise<void> {
    this.mappingId = await this.world.createMapping(
      { functionName: this.name, ...options },
      this.topic,
    );
  }

  get(): Promise<mapping.EventSourceMapping> {
    return this.world.get(this.mappingId);
  }

  /** Sends `count` records, round robin over the partitions. */
  send(count: number, valueBytes = 100): Promise<void> {
    return this.world.writer.sendKeyed(this.topic, count, this.partitions, valueBytes);
  }

  sendMessages(messages: readonly Message[]): Promise<void> {
    return this.world.writer.send(
      this.topic,
      messages.map((each) => ({ partition: 0, ...each })),
    );
  }

  /** Waits until `count` records were delivered with success (repeats counted). */
  delivered(count: number, timeoutMs = 60_000): Promise<unknown> {
    return waitUntil(
      `${count} records are delivered, ${this.function.deliveredCount()} are`,
      () => this.function.deliveredCount() >= count,
      timeoutMs,
    );
  }

  drain(timeoutMs = 60_000): Promise<void> {
    return this.world.drain(timeoutMs, this.topic, this.mappingId);
  }

  /** What pollers wrote down of this topic. */
  events(): PollerEvent[] {
    return this.world.events().filter((event) => {
      const at = "parts" in event ? event.parts[0] : event;
      return at?.topic === this.topic;
    });
  }

  /** Every check of the data path over this topic. `expected`: what is to be delivered; default: all that was sent. */
  check(
    options: {
      readonly gaps?: ReadonlyMap<string, ReadonlySet<number>>;
      readonly expected?: ReadonlyMap<string, readonly number[]>;
    } = {},
  ): void {
    const { gaps, expected = this.world.writer.sent(this.topic) } = options;
    checkRun({
      expected,
      deliveries: this.function.deliveries,
      events: this.events(),
      ...(gaps && { gaps }),
    });
  }

  /** Deletes the mapping, waits until it is gone, ends the function. */
  async close(): Promise<void> {
    if (this.mappingId !== "") {
      const { mappingId: uuid } = this;
      const isGone = (error: unknown): boolean => String(error).includes("does not exist");
      await this.world.mappings.deleteEventSourceMapping({ uuid }).catch((error: unknown) => {
        if (!isGone(error)) throw error;
      });
      await waitUntil(
        "the deleted mapping is gone",
        () =>
          this.get().then(
            () => false,
            (error: unknown) => isGone(error),
          ),
        60_000,
      );
    }
    await this.function.stop();
  }
}
