import type { FunctionSpec, SourceAccess } from "@penstock/core";
import { createAdmin } from "@penstock/kafka";
import { createFleet, type FleetOptions, type FunctionRegistry } from "@penstock/mapping-service";
import { type Database, notify } from "@penstock/postgres";
import { fleet } from "@penstock/proto";
import { type ListenerSecurity, startRpcServer, systemClock } from "@penstock/runtime";
import { FakeBrokers } from "./fake-brokers.ts";
import { until } from "./until.ts";

export const silentLog = { debug() {}, info() {}, warn() {}, error() {}, child: () => silentLog };

/** Short times, so that tests need no long waits; in the proportions of the defaults. */
export const QUICK: FleetOptions["settings"] = {
  nodeVanishedMs: 1_500,
  drainLimitMs: 800,
  seenIntervalMs: 200,
  pollIntervalMs: 300,
  progressIntervalMs: 50,
  leaseMs: 1_200,
  renewIntervalMs: 300,
  leaderIntervalMs: 100,
  reloadIntervalMs: 1_000,
  topicIntervalMs: 300,
  groupIntervalMs: 100,
  enablingMaxMs: 3_000,
  problemSettleMs: 1_000,
  shareLeaseMs: 4_000,
  shareIntervalMs: 100,
};

/** Functions that a test sets. */
export class TestRegistry implements FunctionRegistry {
  #change = 0n;
  readonly #all = new Map<string, { change: bigint; spec: FunctionSpec | null }>();
  readonly #handlers = new Set<() => void>();

  put(name: string, url: string): void {
    const spec: FunctionSpec = {
      name,
      revision: this.#change + 1n,
      target: { kind: "http", url, headers: {} },
      timeoutMs: 1_000,
      maxConcurrency: null,
      payloadBytesMax: 1_000_000,
    };
    this.#set(name, spec);
  }

  remove(name: string): void {
    this.#set(name, null);
  }

  async snapshot() {
    const { change, changed } = await this.changesSince(0n);
    return { change, functions: changed };
  }

  async changesSince(since: bigint) {
    const news = [...this.#all].filter(([, one]) => one.change > since);
    return {
      change: this.#change,
      changed: news.flatMap(([, one]) => one.spec ?? []),
      removed: news.flatMap(([name, one]) => (one.spec === null ? name : [])),
    };
  }

  onChange(handler: () => void) {
    this.#handlers.add(handler);
    return { stop: () => this.#handlers.delete(handler) };
  }

  #set(name: string, spec: FunctionSpec | null): void {
    this.#change++;
    this.#all.set(name, { change: this.#change, spec });
    for (const handler of this.#handlers) handler();
  }
}

export interface TestReplica {
  readonly address: string;
  readonly isLeader: () => boolean;
  stop(): Promise<void>;
}

/** One replica of the fleet's part of the mapping service on a real gRPC port. */
export async function startReplica(
  db: Database,
  options: {
    /** Null: real ones. */
    brokers?: FakeBrokers | null;
    registry?: FunctionRegistry;
    settings?: FleetOptions["settings"];
    filters?: FleetOptions["filters"];
    security?: ListenerSecurity;
  } = {},
): Promise<TestReplica> {
  const brokers = options.brokers === undefined ? new FakeBrokers() : options.brokers;
  const own = createFleet({
    db,
    log: silentLog,
    clock: systemClock,
    settings: { ...QUICK, ...options.settings },
    functions: options.registry ?? new TestRegistry(),
    ...(options.filters && { filters: options.filters }),
    kafkaAdmin:
      brokers?.open ??
      (({ bootstrapServers }) => createAdmin({ bootstrapServers, log: silentLog })),
  });
  const server = await startRpcServer({
    host: "127.0.0.1",
    port: 0,
    log: silentLog,
    services: [fleet.FleetService],
    routes: (router) => own.routes(router),
    ...(options.security && { security: options.security }),
  });
  own.start();
  return {
    address: `${server.host}:${server.port}`,
    isLeader: () => own.isLeader(),
    async stop() {
      await Promise.all([own.stop(), server.stop()]);
    },
  };
}

export interface MappingWish {
  readonly minimumPollers?: number | null;
  readonly isEnabled?: boolean;
  readonly startingPosition?: string;
  readonly startingPositionTimestamp?: Date | null;
  readonly createdAt?: Date;
  readonly group?: string;
  readonly bootstrapServers?: readonly string[];
  readonly topic?: string;
  readonly sourceAccess?: readonly SourceAccess[];
  readonly sealedFilter?: Buffer;
}

/** Stores a mapping as the API does: Creating, and announced. */
export async function insertMapping(db: Database, wish: MappingWish = {}): Promise<string> {
  const id = crypto.randomUUID();
  const row = {
    id,
    function_arn: `arn:aws:lambda:us-east-1:000000000000:function:f-${id}`,
    function_name: "orders",
    bootstrap_servers: wish.bootstrapServers ?? ["127.0.0.1:1"],
    topic: wish.topic ?? "orders",
    consumer_group_id: wish.group ?? id,
    batch_size: 100,
    starting_position: wish.startingPosition ?? "TRIM_HORIZON",
    starting_position_timestamp: wish.startingPositionTimestamp ?? null,
    is_provisioned: (wish.minimumPollers ?? null) !== null,
    minimum_pollers: wish.minimumPollers ?? null,
    is_enabled: wish.isEnabled ?? true,
    source_access: wish.sourceAccess ?? [],
    kms_key_arn: wish.sealedFilter === undefined ? null : "arn:aws:kms:us-east-1:0:key/k",
    filter_sealed: wish.sealedFilter ?? null,
    state: "Creating",
    created_at: wish.createdAt ?? new Date(),
  };
  await db.sql`
    insert into functions (name, revision, target_kind, target, timeout_ms, payload_bytes_max)
    values (${row.function_name}, 1, 'http', '{}', 1000, 100000) on conflict do nothing`;
  await db.sql`insert into mappings ${db.sql(row)}`;
  await notify(db.sql, "penstock_mappings", id);
  return id;
}

export interface MappingRow {
  state: string;
  state_reason: string;
  last_processing_result: string;
  problem_code: string | null;
  problem_message: string | null;
  topic_id: string | null;
  partition_count: number | null;
  revision: bigint;
}

/** Null when it is gone. */
export async function readMapping(db: Database, id: string): Promise<MappingRow | null> {
  const rows = await db.sql<MappingRow[]>`
    select state, state_reason, last_processing_result, problem_code, problem_message,
           topic_id, partition_count, revision
      from mappings where id = ${id}`;
  return rows[0] ?? null;
}

/** Waits until it is Enabled. */
export async function enabled(db: Database, id: string): Promise<void> {
  await until(async () => (await stateOf(db, id)) === "Enabled");
}

export async function stateOf(db: Database, id: string): Promise<string> {
  return (await readMapping(db, id))?.state ?? "gone";
}

/** Changes a mapping as the API does. */
export async function changeMapping(
  db: Database,
  id: string,
  changes: {
    state: string;
    is_enabled?: boolean;
    batch_size?: number;
    minimum_pollers?: number;
    deletes_consumer_group?: boolean;
  },
): Promise<void> {
  await db.sql`
    update mappings set ${db.sql(changes)}, revision = revision + 1, state_since = now()
     where id = ${id}`;
  await notify(db.sql, "penstock_mappings", id);
}

/** Nodes that a stopping mapping waits for, as the API reads them. */
export async function waitingFor(db: Database, id: string): Promise<string[]> {
  const rows = await db.sql<{ node_id: string }[]>`
    select node_id from holdings where mapping_id = ${id}
    union select node_id from assignments where mapping_id = ${id}
    union select node_id from assignment_removals where mapping_id = ${id}`;
  return rows.map((row) => row.node_id).sort();
}
