/**
 * A record source under test, with everything it said: events by time, and waiting for what should come.
 */
import {
  type Assignment,
  type CommitResult,
  type MembershipState,
  type PartitionStart,
  type PenstockError,
  type RecordBatch,
  type RecordSource,
  type RecordSourceDriver,
  type RecordSourceOptions,
  recordOffset,
  recordValue,
  type SourceSecurity,
} from "@penstock/core";

export type ProbeEvent =
  | { kind: "adopted"; assignment: Assignment; start: PartitionStart }
  | { kind: "revoking"; assignment: Assignment; deadlineMs: number }
  | { kind: "released"; assignment: Assignment }
  | { kind: "lost"; assignment: Assignment; reason: string }
  | {
      kind: "records";
      assignment: Assignment;
      offsets: bigint[];
      values: (string | null)[];
      /** The offset after the last one that was covered. */
      nextOffset: bigint;
    }
  | { kind: "logEnds"; assignment: Assignment; logEnd: bigint; highWatermark: bigint }
  | { kind: "outOfRange"; assignment: Assignment; position: bigint; logStart: bigint }
  | { kind: "undecodable"; assignment: Assignment; from: bigint; to: bigint; reason: string }
  | { kind: "problem"; problem: PenstockError | null }
  | { kind: "membership"; state: MembershipState };

export interface ProbeOptions {
  /** One or several, with commas. */
  readonly bootstrapServers: string;
  readonly topic: string;
  readonly groupId: string;
  readonly groupInstanceId?: string;
  readonly drainLimitMs?: number;
  /** Whether a revoked partition is released at once. Default true. */
  readonly releasesAtOnce?: boolean;
  /** Whether adopted partitions are fetched from their committed offset or log start. Default false. */
  readonly fetches?: boolean;
  readonly security?: SourceSecurity;
  /** Default 1 MiB each. */
  readonly fetchBytesMax?: number;
  readonly fetchPartitionBytesMax?: number;
}

const WAIT_LIMIT_MS = 30_000;

export class Probe {
  readonly source: RecordSource;
  readonly events: (ProbeEvent & { atMs: number })[] = [];
  readonly held = new Map<number, Assignment>();
  problem: PenstockError | null = null;
  state: MembershipState | null = null;
  releasesAtOnce: boolean;
  /** Told of every event, after it was noted. */
  onEvent: () => void = () => {};
  #waiters = new Set<() => void>();

  constructor(driver: RecordSourceDriver, options: ProbeOptions) {
    this.releasesAtOnce = options.releasesAtOnce ?? true;
    const settings: RecordSourceOptions = {
      bootstrapServers: options.bootstrapServers.split(","),
      ...(options.security && { security: options.security }),
      topic: options.topic,
      groupId: options.groupId,
      ...(options.groupInstanceId !== undefined && { groupInstanceId: options.groupInstanceId }),
      drainLimitMs: options.drainLimitMs ?? 3_000,
      fetchBytesMax: options.fetchBytesMax ?? 1 << 20,
      fetchPartitionBytesMax: options.fetchPartitionBytesMax ?? 1 << 20,
      inflatedBytesMax: 8 << 20,
      countMemory: () => {},
    };
    this.source = driver.open(settings, {
      adopted: (assignment, start) => {
        this.held.set(assignment.partition, assignment);
        this.#note({ kind: "adopted", assignment, start });
        if (options.fetches)
          this.source.fetch(assignment, start.committed?.offset ?? start.logStart);
      },
      records: (assignment, batches) => this.#records(assignment, batches),
      logEnds: (assignment, _logStart, logEnd, highWatermark) =>
        this.#note({ kind: "logEnds", assignment, logEnd, highWatermark }),
      responseEnd: () => {},
      revoking: (assignment, deadlineMs) => {
        this.#note({ kind: "revoking", assignment, deadlineMs });
        if (this.releasesAtOnce) this.release(assignment);
      },
      lost: (assignment, reason) => {
        this.held.delete(assignment.partition);
        this.#note({ kind: "lost", assignment, reason });
      },
      outOfRange: (assignment, position, logStart) =>
        this.#note({ kind: "outOfRange", assignment, position, logStart }),
      undecodable: (assignment, from, to, reason) =>
        this.#note({ kind: "undecodable", assignment, from, to, reason }),
      problem: (problem) => {
        this.problem = problem;
        this.#note({ kind: "problem", problem });
      },
      membership: (state) => {
        this.state = state;
        this.#note({ kind: "membership", state });
      },
    });
  }

  get partitions(): number[] {
    return [...this.held.keys()].sort((a, b) => a - b);
  }

  release(assignment: Assignment): void {
    this.held.delete(assignment.partition);
    this.#note({ kind: "released", assignment });
    this.source.release(assignment);
  }

  assignment(partition: number): Assignment {
    const assignment = this.held.get(partition);
    if (!assignment) throw new Error(`partition ${partition} is not held`);
    return assignment;
  }

  async commit(assignment: Assignment, offset: bigint, metadata = ""): Promise<CommitResult> {
    const [result] = await this.source.commit([{ assignment, offset, metadata }]);
    if (!result) throw new Error("a commit without result");
    return result;
  }

  of<K extends ProbeEvent["kind"]>(
    kind: K,
  ): (Extract<ProbeEvent, { kind: K }> & { atMs: number })[] {
    return this.events.filter((event) => event.kind === kind) as never;
  }

  /** Offsets of the records of a partition, in the order in which they came. */
  offsetsOf(partition: number): bigint[] {
    return this.of("records")
      .filter(({ assignment }) => assignment.partition === partition)
      .flatMap(({ offsets }) => offsets);
  }

  valuesOf(partition: number): (string | null)[] {
    return this.of("records")
      .filter(({ assignment }) => assignment.partition === partition)
      .flatMap(({ values }) => values);
  }

  /** Resolves when the claim holds; looked at after every event and, for what has no event, every 25 ms. */
  async until(what: string, claim: () => boolean, limitMs = WAIT_LIMIT_MS): Promise<void> {
    if (claim()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = () => {
      if (claim()) resolve();
    };
    this.#waiters.add(look);
    const ticker = setInterval(look, 25);
    const limit = setTimeout(() => {
      const last = this.events.slice(-12).map((event) => event.kind);
      reject(new Error(`not within ${limitMs} ms: ${what}; last events: ${last.join(", ")}`));
    }, limitMs);
    try {
      await promise;
    } finally {
      clearInterval(ticker);
      clearTimeout(limit);
      this.#waiters.delete(look);
    }
  }

  untilHolds(count: number, limitMs?: number): Promise<void> {
    return this.until(`${count} partitions held`, () => this.held.size === count, limitMs);
  }

  #records(assignment: Assignment, batches: readonly RecordBatch[]): void {
    const offsets: bigint[] = [];
    const values: (string | null)[] = [];
    for (const batch of batches) {
      for (let row = 0; row < batch.count; row++) {
        offsets.push(recordOffset(batch, row));
        values.push(recordValue(batch, row)?.toString() ?? null);
      }
      batch.memory.release();
    }
    const nextOffset = batches.at(-1)?.nextOffset ?? -1n;
    this.#note({ kind: "records", assignment, offsets, values, nextOffset });
  }

  #note(event: ProbeEvent): void {
    this.events.push({ ...event, atMs: performance.now() });
    this.onEvent();
    for (const look of [...this.#waiters]) look();
  }
}
