import type { MappingState, StartingPosition } from "@penstock/core";
import type { Database, Sql } from "@penstock/postgres";

/** What controllers know of a mapping. */
export interface MappingFacts {
  readonly id: string;
  readonly revision: bigint;
  readonly state: MappingState;
  readonly stateReason: string;
  readonly isEnabled: boolean;
  readonly arePinned: boolean;
  readonly partitionCount: number | null;
  readonly topicId: string | null;
  readonly minimumPollers: number | null;
  readonly bootstrapServers: readonly string[];
  readonly topic: string;
  readonly consumerGroupId: string;
  readonly startingPosition: StartingPosition;
  readonly startingPositionTimestampMs: number | null;
  /** Database time. */
  readonly createdAtMs: number;
  readonly stateSinceMs: number;
}

interface Row {
  id: string;
  revision: bigint;
  state: MappingState;
  state_reason: string;
  is_enabled: boolean;
  are_starts_pinned: boolean;
  partition_count: number | null;
  topic_id: string | null;
  minimum_pollers: number | null;
  bootstrap_servers: string[];
  topic: string;
  consumer_group_id: string;
  starting_position: StartingPosition;
  starting_position_timestamp: Date | null;
  created_at: Date;
  state_since: Date;
}

/** States that a controller has to lead out of. */
export function isTransition(state: MappingState): boolean {
  return state !== "Enabled" && state !== "Disabled";
}

/**
 * All mappings, in the leader's memory: read whole at first and from time to time, in between only those that were announced as changed.
 * A mapping that makes progress is announced every second; reading its row again costs one look by key.
 */
export class MappingView {
  readonly #db: Database;
  readonly #reloadIntervalMs: number;
  readonly #nowMs: () => number;
  readonly #announced = new Set<string>();
  #byId = new Map<string, MappingFacts>();
  #reloadAtMs = Number.NEGATIVE_INFINITY;
  #databaseMinusMonotonicMs = 0;

  constructor(db: Database, reloadIntervalMs: number, nowMs: () => number) {
    this.#db = db;
    this.#reloadIntervalMs = reloadIntervalMs;
    this.#nowMs = nowMs;
  }

  get(id: string): MappingFacts | undefined {
    return this.#byId.get(id);
  }

  all(): Iterable<MappingFacts> {
    return this.#byId.values();
  }

  /** Database time, as far as the last full read knows it. */
  databaseNowMs(): number {
    return this.#nowMs() + this.#databaseMinusMonotonicMs;
  }

  announce(id: string): void {
    this.#announced.add(id);
  }

  reloadSoon(): void {
    this.#reloadAtMs = Number.NEGATIVE_INFINITY;
  }

  async refresh(): Promise<void> {
    if (this.#nowMs() >= this.#reloadAtMs) {
      this.#announced.clear();
      await this.#readClock();
      const all = new Map<string, MappingFacts>();
      for (const row of await select(this.#db.sql, null)) all.set(row.id, toFacts(row));
      this.#byId = all;
      this.#reloadAtMs = this.#nowMs() + this.#reloadIntervalMs;
    } else if (this.#announced.size > 0) {
      const ids = [...this.#announced].filter((id) => UUID.test(id));
      this.#announced.clear();
      const found = new Map((await select(this.#db.sql, ids)).map((row) => [row.id, row]));
      for (const id of ids) {
        const row = found.get(id);
        if (row === undefined) this.#byId.delete(id);
        else this.#byId.set(id, toFacts(row));
      }
    }
  }

  /** Early rather than late: the answer was made before it arrived. */
  async #readClock(): Promise<void> {
    const rows = await this.#db.sql<{ now: Date }[]>`select clock_timestamp() as now`;
    const now = rows[0]?.now.getTime() ?? 0;
    this.#databaseMinusMonotonicMs = now - this.#nowMs();
  }
}

const UUID = /^[0-9a-f-]{36}$/;

async function select(sql: Sql, ids: readonly string[] | null): Promise<readonly Row[]> {
  return sql<Row[]>`
    select id, revision, state, state_reason, is_enabled, are_starts_pinned, partition_count,
           topic_id, minimum_pollers, bootstrap_servers, topic, consumer_group_id,
           starting_position, starting_position_timestamp, created_at, state_since
      from mappings ${ids === null ? sql`` : sql`where id = any(${ids}::uuid[])`}`;
}

function toFacts(row: Row): MappingFacts {
  return {
    id: row.id,
    revision: row.revision,
    state: row.state,
    stateReason: row.state_reason,
    isEnabled: row.is_enabled,
    arePinned: row.are_starts_pinned,
    partitionCount: row.partition_count,
    topicId: row.topic_id,
    minimumPollers: row.minimum_pollers,
    bootstrapServers: row.bootstrap_servers,
    topic: row.topic,
    consumerGroupId: row.consumer_group_id,
    startingPosition: row.starting_position,
    startingPositionTimestampMs: row.starting_position_timestamp?.getTime() ?? null,
    createdAtMs: row.created_at.getTime(),
    stateSinceMs: row.state_since.getTime(),
  };
}
