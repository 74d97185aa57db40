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
  /** With header values in the clear: for invokers, who call it. */
  readonly message: mapping.Function;
  /** Without: pollers only need to know of it. */
  readonly withoutHeaders: mapping.Function;
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
    this.#entries.set(spec.name, {
      version: this.#version,
      message: toFunction(spec, true),
      withoutHeaders: toFunction(spec, false),
    });
  }

  #difference(stream: NodeStream): fleet.Functions | null {
    const sent = stream.functionsSent;
    const changed: mapping.Function[] = [];
    const now = new Map<string, number>();
    const isCaller = stream.identity.kind === "invoker";
    for (const [name, { version, message, withoutHeaders }] of this.#entries) {
      now.set(name, version);
      if (sent?.get(name) !== version) changed.push(isCaller ? message : withoutHeaders);
    }
    const removed = sent === null ? [] : [...sent.keys()].filter((name) => !now.has(name));
    stream.functionsSent = now;
    if (sent !== null && changed.length + removed.length === 0) return null;
    return create(fleet.FunctionsSchema, { isSnapshot: sent === null, changed, removed });
  }
}

function toFunction(spec: FunctionSpec, hasHeaders: boolean): mapping.Function {
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
              headers: hasHeaders ? { ...target.headers } : {},
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
