import {
  type Assignment,
  COLUMN_END,
  COLUMN_HEADERS,
  COLUMN_KEY_LENGTH,
  COLUMN_VALUE,
  COLUMN_VALUE_LENGTH,
  COLUMNS,
  type CommitResult,
  type DriverCapabilities,
  type OffsetCommit,
  type RecordBatch,
  type RecordSource,
  type RecordSourceDriver,
  type RecordSourceEvents,
  type RecordSourceOptions,
  SharedMemory,
} from "@penstock/core";
import type { SeededRandom } from "@penstock/testkit";
import type { VirtualTime } from "./virtual-time.ts";

export const SIMULATED_CAPABILITIES: DriverCapabilities = {
  driver: "simulated",
  drainsBeforeRevoke: true,
  rebalancesIncrementally: true,
  speaksConsumerProtocol: true,
  keepsStaticMembers: false,
  readsNearestReplica: false,
  sharesConnections: false,
  oldestKafka: "",
};

export const SIMULATED_TOPIC_ID = "0f3d2c1b-0000-4000-8000-00000000000a";

/** One partition of the simulated topic: its log, its committed offset, its owner. */
export interface SimulatedPartition {
  readonly partition: number;
  /** Offsets that hold a record, ascending, with holes. */
  readonly offsets: number[];
  logEnd: number;
  logStart: number;
  committed: { offset: bigint; metadata: string } | null;
  epoch: number;
  owner: SimulatedSource | null;
}

/**
 * A consumer group and its topic in memory: assigns, revokes, fences as KIP-848 does, with one place where every commit
 * passes. The wire is not simulated; `packages/kafka` is tested against real brokers.
 */
export class SimulatedGroup implements RecordSourceDriver {
  readonly capabilities = SIMULATED_CAPABILITIES;
  readonly partitions: SimulatedPartition[];
  readonly sources: SimulatedSource[] = [];
  readonly random: SeededRandom;
  readonly time: VirtualTime;
  /** Accepted commits, in order. */
  readonly commits: { partition: number; epoch: number; offset: number; atMs: number }[] = [];

  constructor(partitionCount: number, random: SeededRandom, time: VirtualTime) {
    this.random = random;
    this.time = time;
    this.partitions = Array.from({ length: partitionCount }, (_, partition) => ({
      partition,
      offsets: [],
      logEnd: 0,
      logStart: 0,
      committed: null,
      epoch: 0,
      owner: null,
    }));
  }

  open(options: RecordSourceOptions, events: RecordSourceEvents): RecordSource {
    const source = new SimulatedSource(this, options, events, `member-${this.sources.length}`);
    this.sources.push(source);
    return source;
  }

  async close(): Promise<void> {}

  /** Appends records, some offsets left out as compaction would. */
  produce(partition: SimulatedPartition, records: number): void {
    for (let i = 0; i < records; i++) {
      if (this.random.chance(0.1)) partition.logEnd += 1 + this.random.below(3);
      partition.offsets.push(partition.logEnd++);
    }
  }
}

interface SimulatedLane {
  readonly assignment: Assignment;
  readonly partition: SimulatedPartition;
  position: number | null;
  isPaused: boolean;
  deadlineMs: number | null;
}

/** One member. The test drives it: `adopt`, `deliver`, `revoke`, `lose`. */
export class SimulatedSource implements RecordSource {
  readonly memberId: string;
  readonly lanes = new Map<Assignment, SimulatedLane>();
  isUncertain = false;
  readonly #group: SimulatedGroup;
  readonly #options: RecordSourceOptions;
  readonly #events: RecordSourceEvents;

  constructor(
    group: SimulatedGroup,
    options: RecordSourceOptions,
    events: RecordSourceEvents,
    memberId: string,
  ) {
    this.#group = group;
    this.#options = options;
    this.#events = events;
    this.memberId = memberId;
  }

  adopt(partition: SimulatedPartition): void {
    partition.owner = this;
    partition.epoch++;
    const assignment = {
      topic: this.#options.topic,
      topicId: SIMULATED_TOPIC_ID,
      partition: partition.partition,
      epoch: partition.epoch,
    };
    this.lanes.set(assignment, {
      assignment,
      partition,
      position: null,
      isPaused: false,
      deadlineMs: null,
    });
    const logEnd = BigInt(partition.logEnd);
    this.#events.adopted(assignment, {
      committed: partition.committed,
      logStart: BigInt(partition.logStart),
      logEnd,
      highWatermark: logEnd,
    });
  }

  /** One fetch response over all lanes that fetch. */
  deliver(): void {
    for (const lane of [...this.lanes.values()]) {
      if (lane.position === null || lane.isPaused || lane.deadlineMs !== null) continue;
      const { partition } = lane;
      if (lane.position >= partition.logEnd || this.#group.random.chance(0.3)) continue;
      const logEnd = BigInt(partition.logEnd);
      this.#events.logEnds(lane.assignment, BigInt(partition.logStart), logEnd, logEnd);
      const from = lane.position;
      const to = Math.min(partition.logEnd, from + 1 + this.#group.random.below(30));
      lane.position = to;
      this.#events.records(lane.assignment, [
        batchOf(from, to, partition.offsets, this.#options.countMemory),
      ]);
    }
    this.#events.responseEnd();
  }

  revoke(assignment: Assignment): void {
    const lane = this.lanes.get(assignment);
    if (lane === undefined || lane.deadlineMs !== null) return;
    lane.deadlineMs = this.#group.time.nowMs() + this.#options.drainLimitMs;
    this.#events.revoking(assignment, lane.deadlineMs);
    this.#group.time.after(this.#options.drainLimitMs, () => {
      if (this.lanes.has(assignment)) this.lose(assignment);
    });
  }

  /** The group gives the partition away without asking. */
  lose(assignment: Assignment): void {
    const lane = this.lanes.get(assignment);
    if (lane === undefined) return;
    this.#drop(lane);
    this.#events.lost(assignment, "fenced");
  }

  fetch(assignment: Assignment, position: bigint): void {
    const lane = this.lanes.get(assignment);
    if (lane !== undefined) lane.position = Number(position);
  }

  pause(assignment: Assignment): void {
    const lane = this.lanes.get(assignment);
    if (lane !== undefined) lane.isPaused = true;
  }

  resume(assignment: Assignment): void {
    const lane = this.lanes.get(assignment);
    if (lane !== undefined) lane.isPaused = false;
  }

  commit(commits: readonly OffsetCommit[]): Promise<readonly CommitResult[]> {
    const { random, time } = this.#group;
    return new Promise((resolve) => {
      time.after(random.below(20), () => {
        if (random.chance(0.1)) {
          resolve(commits.map(() => "unknown"));
          return;
        }
        const isAnswerLost = random.chance(0.1);
        const results = commits.map((commit) => this.#accept(commit));
        resolve(isAnswerLost ? commits.map(() => "unknown" as const) : results);
      });
    });
  }

  refreshEnds(assignments: readonly Assignment[]): void {
    for (const assignment of assignments) {
      const lane = this.lanes.get(assignment);
      if (lane === undefined) continue;
      const end = BigInt(lane.partition.logEnd);
      this.#events.logEnds(assignment, BigInt(lane.partition.logStart), end, end);
    }
  }

  release(assignment: Assignment): void {
    const lane = this.lanes.get(assignment);
    if (lane !== undefined) this.#drop(lane);
  }

  mayDispatch(): boolean {
    return !this.isUncertain;
  }

  expectChange(): void {}

  async close(): Promise<void> {
    for (const assignment of [...this.lanes.keys()]) this.revoke(assignment);
    while (this.lanes.size > 0) {
      await new Promise<void>((resolve) => this.#group.time.after(10, resolve));
    }
  }

  abort(): void {
    for (const lane of [...this.lanes.values()]) this.#drop(lane);
  }

  #accept({ assignment, offset, metadata }: OffsetCommit): CommitResult {
    const partition = this.#group.partitions[assignment.partition] as SimulatedPartition;
    if (partition.owner !== this || partition.epoch !== assignment.epoch) return "fenced";
    partition.committed = { offset, metadata };
    this.#group.commits.push({
      partition: assignment.partition,
      epoch: assignment.epoch,
      offset: Number(offset),
      atMs: this.#group.time.nowMs(),
    });
    return "committed";
  }

  #drop(lane: SimulatedLane): void {
    this.lanes.delete(lane.assignment);
    lane.partition.owner = null;
  }
}

/** Offsets `[from, to)` as a batch; the value of a record is its offset in decimal. */
function batchOf(
  from: number,
  to: number,
  offsets: readonly number[],
  countMemory: (bytes: number) => void,
): RecordBatch {
  const held = offsets.filter((offset) => offset >= from && offset < to);
  const columns = new Int32Array(held.length * COLUMNS);
  const values = held.map((offset) => Buffer.from(String(offset)));
  let end = 0;
  values.forEach((value, row) => {
    const at = row * COLUMNS;
    columns[at] = (held[row] as number) - from;
    columns[at + COLUMN_KEY_LENGTH] = -1;
    columns[at + COLUMN_VALUE] = end;
    columns[at + COLUMN_VALUE_LENGTH] = value.length;
    columns[at + COLUMN_HEADERS] = end + value.length;
    end += value.length + 1;
    columns[at + COLUMN_END] = end;
  });
  const buffer = Buffer.concat(values.flatMap((value) => [value, Buffer.from([0])]));
  countMemory(buffer.length);
  const memory = new SharedMemory(buffer.length, (bytes) => countMemory(-bytes));
  memory.hold();
  return {
    baseOffset: BigInt(from),
    nextOffset: BigInt(to),
    count: held.length,
    buffer,
    columns,
    timestamps: new Float64Array(held.length).fill(1_700_000_000_000),
    timestampType: "CREATE_TIME",
    bytes: buffer.length,
    memory,
  };
}
