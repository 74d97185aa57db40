import { randomUUID } from "node:crypto";
import type {
  Assignment,
  FunctionCall,
  InvokeOutcome,
  OffsetCommit,
  RecordSource,
  RecordSourceEvents,
} from "@penstock/core";
import { formatCommitMetadata, SharedMemory } from "@penstock/core";
import { describe, expect, it } from "vitest";
import { Counters } from "../node/counters.ts";
import { MemoryBudget } from "../node/memory-budget.ts";
import { SIMULATED_CAPABILITIES } from "../simulation/simulated-group.ts";
import { VirtualTime } from "../simulation/virtual-time.ts";
import { NO_TRACER } from "./batch-tracer.ts";
import type { EventPollerContext, Gap } from "./context.ts";
import { EventPoller } from "./event-poller.ts";
import { NO_HISTORY } from "./history.ts";
import type { EventPollerSettings } from "./settings.ts";

const AT: Assignment = {
  topic: "orders",
  topicId: "0f3d2c1b-0000-4000-8000-00000000000a",
  partition: 0,
  epoch: 1,
};

const SETTINGS: EventPollerSettings = {
  mappingId: "7d9f7c3e-0000-4000-8000-000000000001",
  index: 0,
  revision: 1n,
  bootstrapServers: ["broker:9092"],
  topic: "orders",
  consumerGroupId: "group",
  batchSize: 4,
  batchingWindowMs: 0,
  filterPatterns: [],
  functionName: "f",
  functionQualifier: "",
  sourceAccess: [],
  pinnedStarts: new Map(),
};

/** One event poller with one partition, between a source and a function that the test plays. */
class Stage {
  readonly time = new VirtualTime();
  readonly counters = new Counters();
  readonly gaps: Gap[] = [];
  readonly problems: string[] = [];
  readonly commits: bigint[] = [];
  /** What Kafka has of the partition. */
  committed = { offset: 0n, metadata: formatCommitMetadata(AT.topicId) };
  readonly lastWords: bigint[] = [];
  readonly fetches: bigint[] = [];
  readonly calls: { call: FunctionCall; answer: (outcome: InvokeOutcome) => void }[] = [];
  readonly memory = new MemoryBudget(1e6, () => {});
  isFetchPaused = false;
  isReleased = false;
  hasFunction = true;
  events!: RecordSourceEvents;
  readonly poller: EventPoller;

  /** @param before whose partition it takes over */
  constructor(settings: Partial<EventPollerSettings> = {}, before?: Stage) {
    if (before !== undefined) this.committed = before.committed;
    const source = {
      memberId: "member",
      fetch: (_at: Assignment, position: bigint) => this.fetches.push(position),
      pause: () => {
        this.isFetchPaused = true;
      },
      resume: () => {
        this.isFetchPaused = false;
      },
      commit: async (commits: readonly OffsetCommit[]) => {
        this.commits.push(...commits.map(({ offset }) => offset));
        this.committed = commits.at(-1) ?? this.committed;
        return commits.map(() => "committed" as const);
      },
      release: () => {
        this.isReleased = true;
      },
      mayDispatch: () => true,
      refreshEnds() {},
    } as unknown as RecordSource;
    const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
    const spec = {
      name: "f",
      revision: 1n,
      target: { kind: "http" as const, url: "http://f", headers: {} },
      timeoutMs: 1000,
      maxConcurrency: null,
      payloadBytesMax: 4096,
    };
    const context: EventPollerContext = {
      driver: {
        capabilities: SIMULATED_CAPABILITIES,
        open: (_options, events) => {
          this.events = events;
          return source;
        },
        async close() {},
      },
      invoker: {
        invoke: (call) => new Promise((answer) => this.calls.push({ call, answer })),
      },
      functions: { get: () => (this.hasFunction ? spec : undefined) },
      archive: async () => null,
      memory: this.memory,
      counters: this.counters,
      observe: { call() {}, commit() {}, fetch() {} },
      clock: this.time,
      timers: this.time,
      random: () => 0,
      newId: randomUUID,
      history: NO_HISTORY,
      tracer: NO_TRACER,
      log: silent,
      drainLimitMs: 500,
      fetchBytesMax: 1e6,
      fetchPartitionBytesMax: 1e6,
      inflatedBytesMax: 1e6,
      reports: {
        gap: (gap) => this.gaps.push(gap),
        problem: (_mapping, _index, problem) => this.problems.push(problem?.message ?? "none"),
        result() {},
        happened() {},
        ended: (_mapping, lane) => this.lastWords.push(lane.committed),
        changed() {},
      },
    };
    this.poller = new EventPoller(context, { ...SETTINGS, ...settings });
    const { committed } = this;
    this.events.adopted(AT, { committed, logStart: 0n, logEnd: 100n, highWatermark: 100n });
  }

  /** Offsets `[from, to)`, each a record of `recordBytes` without a value. */
  deliver(from: number, to: number, recordBytes = 10): void {
    const count = to - from;
    const columns = new Int32Array(count * 7);
    for (let row = 0; row < count; row++) columns.set([row, 0, -1, 0, -1, 0, 1], row * 7);
    const bytes = count * recordBytes;
    const memory = new SharedMemory(bytes, () => this.memory.count(-bytes));
    memory.hold();
    this.memory.count(bytes);
    this.events.records(AT, [
      {
        baseOffset: BigInt(from),
        nextOffset: BigInt(to),
        count,
        buffer: Buffer.from([0]),
        columns,
        timestamps: new Float64Array(count),
        timestampType: "CREATE_TIME",
        bytes,
        memory,
      },
    ]);
    this.events.responseEnd();
  }

  async answer(outcome: InvokeOutcome): Promise<void> {
    this.calls.at(-1)?.answer(outcome);
    await this.time.advance(0);
  }

  get offsetsCalled(): number[] {
    const event = JSON.parse(this.calls.at(-1)?.call.payload.toString() ?? "") as {
      records: Record<string, { offset: number }[]>;
    };
    return Object.values(event.records).flatMap((group) => group.map(({ offset }) => offset));
  }
}

const FAILED: InvokeOutcome = { kind: "functionError", statusCode: 500, message: "no" };

describe("EventPoller", () => {
  it("F13, I-15: a log that is shorter than the position stops the lane when its call has ended, and not before", async () => {
    const stage = new Stage();
    stage.deliver(0, 6);
    await stage.time.advance(0);
    stage.events.outOfRange(AT, 6n, 0n, 3n);
    expect(stage.problems.at(-1)).toMatch(/above the end of the log/);
    stage.events.revoking(AT, 10_000);
    expect(stage.isReleased, "released under a call").toBe(false);
    await stage.answer({ kind: "success" });
    await stage.time.advance(100);
    expect(stage.commits.at(-1)).toBe(4n);
    expect(stage.isReleased).toBe(true);
    expect(stage.lastWords, "the archive knows the last commit").toEqual([4n]);
    expect(stage.memory.bytes).toBe(0);
  });

  it("F13: what a stopping lane retries is settled first; then it waits for the operator", async () => {
    const stage = new Stage();
    stage.deliver(0, 6);
    await stage.time.advance(0);
    await stage.answer(FAILED);
    stage.events.outOfRange(AT, 6n, 0n, 3n);
    await stage.time.advance(1000);
    expect(stage.calls.length).toBe(2);
    await stage.answer({ kind: "success" });
    const [lane] = [...stage.poller.lanes()];
    expect(lane?.phase).toMatchObject({ is: "stopped" });
    await stage.time.advance(1000);
    expect(stage.commits.at(-1)).toBe(4n);
    expect(stage.calls.length).toBe(2);
    expect(stage.memory.bytes).toBe(0);
  });

  it("F12, L-1: a paused lane whose records were removed under retry goes on behind them", async () => {
    const stage = new Stage();
    stage.deliver(0, 4, 1024 * 1024);
    await stage.time.advance(0);
    stage.deliver(4, 8, 1024 * 1024);
    expect(stage.isFetchPaused).toBe(true);
    await stage.answer(FAILED);
    stage.events.logEnds(AT, 8n, 100n, 100n);
    expect(stage.isFetchPaused).toBe(false);
    expect(stage.gaps).toMatchObject([
      { firstOffset: 0n, lastOffset: 7n, reason: "truncatedUnderRetry" },
    ]);
    stage.deliver(8, 12);
    await stage.time.advance(100);
    expect(stage.offsetsCalled).toEqual([8, 9, 10, 11]);
    expect(stage.commits.at(-1)).toBe(8n);
  });

  // F31 → I-1. Method: commit behind a gap, end without having reported it, and let another take over, twice.
  it("F31, I-1: a gap whose reporter ended after the commit is reported by who takes over, until it is stored", async () => {
    const first = new Stage();
    first.events.undecodable(AT, 0n, 4n, "no such codec");
    await first.time.advance(100);
    expect(first.commits).toEqual([4n]);

    const second = new Stage({}, first);
    const [told] = second.gaps;
    expect(second.gaps).toHaveLength(1);
    const same = { firstOffset: 0n, lastOffset: 3n, reason: "undecodable", partition: 0 };
    expect(told).toMatchObject({ ...same, gapId: first.gaps[0]?.gapId, topic: "orders" });
    second.deliver(4, 8);
    await second.time.advance(0);
    await second.answer({ kind: "success" });
    await second.time.advance(100);

    const third = new Stage({}, second);
    expect(third.commits, "nothing was committed by taking over").toEqual([]);
    expect(third.gaps).toMatchObject([{ ...same, gapId: told?.gapId }]);
    if (third.gaps[0] !== undefined) third.gaps[0].isStored = true;
    third.deliver(8, 12);
    await third.time.advance(0);
    await third.answer({ kind: "success" });
    await third.time.advance(100);
    expect(third.committed).toEqual({
      assignment: AT,
      offset: 12n,
      metadata: formatCommitMetadata(AT.topicId),
    });
    expect(new Stage({}, third).gaps).toEqual([]);
  });

  it("I-2: a commit carries no gap that it does not pass", async () => {
    const stage = new Stage();
    stage.deliver(0, 4);
    await stage.time.advance(0);
    stage.deliver(4, 6);
    stage.events.undecodable(AT, 6n, 9n, "no such codec");
    await stage.answer({ kind: "success" });
    await stage.time.advance(60);
    expect(stage.committed).toMatchObject({
      offset: 4n,
      metadata: formatCommitMetadata(AT.topicId),
    });
    await stage.answer({ kind: "success" });
    await stage.time.advance(100);
    expect(stage.committed.offset).toBe(9n);
    expect(new Stage({}, stage).gaps).toMatchObject([{ firstOffset: 6n, lastOffset: 8n }]);
  });

  it("L-4: a filter that is changed during a call that fails holds for the next one", async () => {
    const stage = new Stage();
    stage.deliver(0, 4);
    await stage.time.advance(0);
    const filterPatterns = ['{"offset":[{"numeric":[">",1]}]}'];
    stage.poller.apply({ ...SETTINGS, revision: 2n, filterPatterns });
    await stage.answer(FAILED);
    expect(stage.fetches.at(-1)).toBe(0n);
    stage.deliver(0, 4);
    await stage.time.advance(1000);
    expect(stage.offsetsCalled).toEqual([2, 3]);
    await stage.answer({ kind: "success" });
    await stage.time.advance(100);
    expect(stage.commits.at(-1)).toBe(4n);
  });

  it("L-4: a smaller batch size holds for what is being retried", async () => {
    const stage = new Stage();
    stage.deliver(0, 4);
    await stage.time.advance(0);
    await stage.answer(FAILED);
    stage.poller.apply({ ...SETTINGS, revision: 2n, batchSize: 1 });
    await stage.time.advance(1000);
    expect(stage.offsetsCalled).toEqual([0]);
  });

  it("says that the function is not in the registry, and goes on when it is", async () => {
    const stage = new Stage();
    stage.hasFunction = false;
    stage.deliver(0, 4);
    await stage.time.advance(0);
    expect(stage.problems.at(-1)).toMatch(/registry/);
    stage.hasFunction = true;
    stage.poller.functionChanged("f");
    await stage.time.advance(0);
    expect(stage.offsetsCalled).toEqual([0, 1, 2, 3]);
  });
});
