import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { FunctionSpec } from "@penstock/core";
import type { Subscription } from "@penstock/postgres";
import { fleet, mapping } from "@penstock/proto";
import type { FunctionRegistry } from "../../functions/function-registry.ts";
import type { FleetLog } from "../fleet-log.ts";
import { RepeatingTask } from "../repeating-task.ts";
import type { NodeStream } from "../streams/node-stream.ts";
import type { NodeStreams } from "../streams/node-streams.ts";

interface Entry {
  /** Counts the changes seen by this replica. */
  readonly version: number;
  readonly message: mapping.Function;
}

/**
 * All functions as this replica last read them, told to every stream: everything at first, then the difference to what that
 * stream was sent. Keeps what it knows while the database is away.
 */
export class FunctionFeed {
  readonly #registry: FunctionRegistry;
  readonly #streams: NodeStreams;
  readonly #task: RepeatingTask;
  readonly #entries = new Map<string, Entry>();
  #change: bigint | null = null;
  #version = 0;
  #subscription: Subscription | null = null;

  constructor(options: {
    registry: FunctionRegistry;
    streams: NodeStreams;
    log: FleetLog;
    intervalMs: number;
  }) {
    this.#registry = options.registry;
    this.#streams = options.streams;
    this.#task = new RepeatingTask({
      name: "reading functions",
      intervalMs: options.intervalMs,
      settleMs: 10,
      log: options.log,
      work: () => this.#refresh(),
    });
  }

  start(): void {
    this.#subscription = this.#registry.onChange(() => this.#task.wake());
    this.#task.start();
  }

  async stop(): Promise<void> {
    this.#subscription?.stop();
    await this.#task.stop();
  }

  /** Puts what the stream does not know yet into its outbox; nothing before the registry was read once. */
  tell(stream: NodeStream): void {
    if (this.#change !== null) stream.outbox.functions(() => this.#difference(stream));
  }

  async #refresh(): Promise<void> {
    const known = this.#change;
    if (known === null) {
      const { change, functions } = await this.#registry.snapshot();
      for (const spec of functions) this.#put(spec);
      this.#change = change;
    } else {
      const { change, changed, removed } = await this.#registry.changesSince(known);
      if (change === known) return;
      for (const spec of changed) this.#put(spec);
      for (const name of removed) this.#entries.delete(name);
      this.#change = change;
    }
    for (const stream of this.#streams.all()) this.tell(stream);
  }

  #put(spec: FunctionSpec): void {
    this.#version++;
    this.#entries.set(spec.name, { version: this.#version, message: toFunction(spec) });
  }

  #difference(stream: NodeStream): fleet.Functions | null {
    const sent = stream.functionsSent;
    const changed: mapping.Function[] = [];
    const now = new Map<string, number>();
    for (const [name, { version, message }] of this.#entries) {
      now.set(name, version);
      if (sent?.get(name) !== version) changed.push(message);
    }
    const removed = sent === null ? [] : [...sent.keys()].filter((name) => !now.has(name));
    stream.functionsSent = now;
    if (sent !== null && changed.length + removed.length === 0) return null;
    return create(fleet.FunctionsSchema, { isSnapshot: sent === null, changed, removed });
  }
}

/** A function for those who call it: header values in the clear. */
function toFunction(spec: FunctionSpec): mapping.Function {
  const { name, revision, target, maxConcurrency } = spec;
  return create(mapping.FunctionSchema, {
    name,
    revision,
    target:
      target.kind === "http"
        ? {
            case: "http",
            value: create(mapping.HttpTargetSchema, {
              url: target.url,
              headers: { ...target.headers },
            }),
          }
        : {
            case: "grpc",
            value: create(mapping.GrpcTargetSchema, { address: target.address, tls: target.tls }),
          },
    timeout: durationFromMs(spec.timeoutMs),
    payloadBytesMax: BigInt(spec.payloadBytesMax),
    ...(maxConcurrency !== null && { maxConcurrency }),
  });
}
