import type { MappingProblem, MappingState, SourceAccess, StartingPosition } from "@penstock/core";
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
  readonly sourceAccess: readonly SourceAccess[];
  readonly functionName: string;
  /** Whether the function is in the registry. */
  readonly hasFunction: boolean;
  /** The filter under a key of the user's; null = it is stored in the clear. */
  readonly sealedFilter: SealedFilter | null;
  readonly deletesConsumerGroup: boolean;
  /** As stored. */
  readonly problem: MappingProblem | null;
  /** What its event pollers report: the first one's, a problem of the brokers before one of the function. */
  readonly reported: MappingProblem | null;
  readonly startingPosition: StartingPosition;
  readonly startingPositionTimestampMs: number | null;
  /** Database time. */
  readonly createdAtMs: number;
  readonly stateSinceMs: number;
}

export interface SealedFilter {
  readonly kmsKeyArn: string;
  readonly sealed: Buffer;
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
  source_access: SourceAccess[];
  function_name: string;
  has_function: boolean;
  kms_key_arn: string | null;
  filter_sealed: Buffer | null;
  deletes_consumer_group: boolean;
  problem_code: string | null;
  problem_message: string | null;
  reported_code: string | null;
  reported_message: string | null;
  starting_position: StartingPosition;
  starting_position_timestamp: Date | null;
  created_at: Date;
  state_since: Date;
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
    select m.id, m.revision, m.state, m.state_reason, m.is_enabled, m.are_starts_pinned,
           m.partition_count, m.topic_id, m.minimum_pollers, m.bootstrap_servers, m.topic,
           m.consumer_group_id, m.source_access, m.function_name, m.kms_key_arn, m.filter_sealed,
           m.deletes_consumer_group, m.problem_code, m.problem_message,
           m.starting_position, m.starting_position_timestamp, m.created_at, m.state_since,
           exists (select 1 from functions f where f.name = m.function_name) as has_function,
           r.code as reported_code, r.message as reported_message
      from mappings m
      left join lateral (
        select p.code, p.message from poller_problems p where p.mapping_id = m.id
         order by p.code like 'function%', p.poller_index limit 1) r on true
     ${ids === null ? sql`` : sql`where m.id = any(${ids}::uuid[])`}`;
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
    sourceAccess: row.source_access,
    functionName: row.function_name,
    hasFunction: row.has_function,
    sealedFilter:
      row.filter_sealed === null
        ? null
        : { kmsKeyArn: row.kms_key_arn ?? "", sealed: row.filter_sealed },
    deletesConsumerGroup: row.deletes_consumer_group,
    problem: problemOf(row.problem_code, row.problem_message),
    reported: problemOf(row.reported_code, row.reported_message),
    startingPosition: row.starting_position,
    startingPositionTimestampMs: row.starting_position_timestamp?.getTime() ?? null,
    createdAtMs: row.created_at.getTime(),
    stateSinceMs: row.state_since.getTime(),
  };
}

function problemOf(code: string | null, message: string | null): MappingProblem | null {
  return code === null ? null : { code, message: message ?? "" };
}
