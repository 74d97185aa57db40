import { SeededRandom } from "@penstock/testkit";
import { describe, expect, it } from "vitest";
import { NO_TRACER } from "../event-poller/batch-tracer.ts";
import type { EventPollerContext, Gap } from "../event-poller/context.ts";
import { EventPoller } from "../event-poller/event-poller.ts";
import { NO_HISTORY } from "../event-poller/history.ts";
import type { EventPollerSettings } from "../event-poller/settings.ts";
import { Counters } from "../node/counters.ts";
import { MemoryBudget } from "../node/memory-budget.ts";
import { type SeenCall, SimulatedFunction } from "./simulated-function.ts";
import { SimulatedGroup, type SimulatedPartition } from "./simulated-group.ts";
import { VirtualTime } from "./virtual-time.ts";

/**
 * Whole event pollers against a simulated group, function and clock, from a seed: members come, go, lose partitions without notice; calls
 * fail in every way; commits lose their answers. A failing seed replays exactly.
 */
const SEEDS = 60;

describe("event pollers of one group", () => {
  for (const batchingWindowMs of [0, 100]) {
    it(`I-1, I-2, I-3, I-5, I-7, I-15, I-20: keep their promises in ${SEEDS} seeded runs (window ${batchingWindowMs} ms)`, async () => {
      const marks = { lost: 0, released: 0, retried: 0, shared: 0, updated: 0 };
      for (let seed = 1; seed <= SEEDS; seed++) {
        try {
          await simulate(seed, batchingWindowMs, marks);
        } catch (error) {
          throw new Error(`seed ${seed}`, { cause: error });
        }
      }
      for (const [mark, count] of Object.entries(marks)) expect(count, mark).toBeGreaterThan(0);
    }, 120_000);
  }
});

async function simulate(
  seed: number,
  batchingWindowMs: number,
  marks: Record<"lost" | "released" | "retried" | "shared" | "updated", number>,
): Promise<void> {
  const random = new SeededRandom(seed);
  const time = new VirtualTime();
  const group = new SimulatedGroup(1 + random.below(5), random, time);
  const target = new SimulatedFunction(random, time);
  const gaps: Gap[] = [];
  const pollers: EventPoller[] = [];
  const memory = new MemoryBudget(2000, () => {
    for (const poller of pollers) poller.memoryRelieved();
  });
  const context = contextOf(group, target, memory, random, time, gaps);
  let settings = settingsOf(1 + random.below(40), batchingWindowMs);
  const join = () => pollers.push(new EventPoller(context, settings));
  const update = () => {
    const filterPatterns = random.chance(0.5) ? FILTERS[random.below(FILTERS.length)] : undefined;
    const batchSize = 1 + random.below(40);
    settings = { ...settings, batchSize, ...(filterPatterns && { filterPatterns }) };
    for (const poller of pollers) poller.apply(settings);
    marks.updated++;
  };
  join();
  for (let step = 0; step < 200; step++) {
    for (const partition of group.partitions) {
      if (random.chance(0.3)) group.produce(partition, random.below(25));
      if (partition.owner === null && random.chance(0.5))
        pick(random, group.sources).adopt(partition);
    }
    const source = pick(random, group.sources);
    source.deliver();
    if (random.chance(0.02) && group.sources.length < 4) join();
    const assignment = [...source.lanes.keys()][random.below(source.lanes.size + 1)];
    if (assignment !== undefined && random.chance(0.05)) {
      source.revoke(assignment);
      marks.released++;
    } else if (assignment !== undefined && random.chance(0.03)) {
      source.lose(assignment);
      marks.lost++;
    }
    source.isUncertain = random.chance(0.05);
    if (random.chance(0.05)) update();
    for (const poller of pollers) poller.refresh();
    await time.advance(random.below(80));
    checkCounters(context.counters, pollers);
  }
  target.isHealthy = true;
  for (const source of group.sources) source.isUncertain = false;
  for (let round = 0; round < 600 && !isDrained(group); round++) {
    for (const partition of group.partitions) {
      if (partition.owner === null) pick(random, group.sources).adopt(partition);
    }
    for (const source of group.sources) source.deliver();
    await time.advance(1000);
  }
  expect(isDrained(group), "everything is committed in the end").toBe(true);
  const closed = Promise.all(pollers.map((poller) => poller.close()));
  await time.advance(60_000);
  await closed;
  expect(memory.bytes, "I-15: all memory is given back").toBe(0);
  checkCounters(context.counters, pollers);
  marks.retried += target.calls.filter(({ attempt }) => attempt > 1).length;
  marks.shared += target.calls.filter(({ records }) => records.size > 1).length;
  const settledAt = group.partitions.map((each) => checkCalls(each, target.calls));
  checkCommits(group, settledAt);
}

/** I-20, at any moment. */
function checkCounters(counters: Counters, pollers: readonly EventPoller[]): void {
  for (const each of counters.partitions()) {
    const lanes = pollers.flatMap((poller) => [...poller.lanes()]);
    const own = lanes.filter(({ assignment }) => assignment.partition === each.partition);
    const inMemory = own.reduce((sum, lane) => sum + lane.recordsInMemory, 0);
    const accounted = each.settled + each.filtered + each.skipped + each.discarded + inMemory;
    expect(accounted, `I-20: partition ${each.partition} adds up`).toBe(each.polled);
  }
}

/** I-2, I-5, I-7: every accepted commit against what was settled at its moment. */
function checkCommits(group: SimulatedGroup, settledAt: ReadonlyMap<number, number>[]): void {
  const last = new Map<number, { epoch: number; offset: number }>();
  const settledBefore = group.partitions.map(({ offsets }, partition) =>
    latestSettlement(offsets, settledAt[partition] as ReadonlyMap<number, number>),
  );
  for (const { partition, epoch, offset, atMs } of group.commits) {
    const before = last.get(partition);
    if (before !== undefined) {
      expect(epoch >= before.epoch, "I-5: no commit of an old epoch after a new one").toBe(true);
      expect(offset >= before.offset, "I-7: commits never fall").toBe(true);
    }
    last.set(partition, { epoch, offset });
    const { logEnd } = group.partitions[partition] as SimulatedPartition;
    expect(offset <= logEnd, "I-7: never above the end of the log").toBe(true);
    const latest = (settledBefore[partition] as number[])[offset] as number;
    expect(latest <= atMs, `I-2: everything below ${offset} was settled before`).toBe(true);
  }
}

/** For each offset, when the last record below it was settled. */
function latestSettlement(
  offsets: readonly number[],
  settledAt: ReadonlyMap<number, number>,
): number[] {
  const latest: number[] = [0];
  for (const offset of offsets) {
    while (latest.length <= offset) latest.push(latest.at(-1) as number);
    const at = settledAt.get(offset) ?? Number.POSITIVE_INFINITY;
    latest.push(Math.max(latest.at(-1) as number, at));
  }
  for (let i = 0; i < 10; i++) latest.push(latest.at(-1) as number);
  return latest;
}

/** I-1, I-3 of one partition: each call against everything that came before it. Returns when each record was first settled. */
function checkCalls(
  { partition, offsets }: SimulatedPartition,
  calls: readonly SeenCall[],
): ReadonlyMap<number, number> {
  const settledAt = new Map<number, number>();
  const rowOf = new Map(offsets.map((offset, row) => [offset, row]));
  const ordered = calls.filter(({ records }) => records.has(partition));
  let settledRows = 0;
  for (const call of ordered) {
    const records = call.records.get(partition) as readonly number[];
    const row = rowOf.get(records[0] as number) as number;
    expect(records, "I-3: a batch is a contiguous run").toEqual(
      offsets.slice(row, row + records.length),
    );
    while (
      (settledAt.get(offsets[settledRows] as number) ?? Number.POSITIVE_INFINITY) <= call.startMs
    ) {
      settledRows++;
    }
    expect(row <= settledRows, "I-3: everything before it succeeded before").toBe(true);
    if (call.outcome !== "success") continue;
    for (const offset of records) {
      settledAt.set(offset, Math.min(call.endMs, settledAt.get(offset) ?? call.endMs));
    }
  }
  expect(settledAt.size, "I-1: nothing lost").toBe(offsets.length);
  return settledAt;
}

function isDrained(group: SimulatedGroup): boolean {
  return group.partitions.every(
    ({ logEnd, committed }) => logEnd === 0 || committed?.offset === BigInt(logEnd),
  );
}

function pick<T>(random: SeededRandom, from: readonly T[]): T {
  return from[random.below(from.length)] as T;
}

/** Each lets everything through, so that the function's history stays comparable with the log. */
const FILTERS = [
  [],
  ['{"offset":[{"numeric":[">=",0]}]}'],
  ['{"partition":[{"exists":true}]}', '{"topic":["nothing"]}'],
];

function settingsOf(batchSize: number, batchingWindowMs: number): EventPollerSettings {
  return {
    mappingId: "7d9f7c3e-0000-4000-8000-000000000001",
    index: 0,
    revision: 1n,
    bootstrapServers: ["broker:9092"],
    topic: "orders",
    consumerGroupId: "group",
    batchSize,
    batchingWindowMs,
    filterPatterns: [],
    functionName: "f",
    functionQualifier: "",
    sourceAccess: [],
    pinnedStarts: new Map(),
  };
}

function contextOf(
  group: SimulatedGroup,
  invoker: SimulatedFunction,
  memory: MemoryBudget,
  random: SeededRandom,
  time: VirtualTime,
  gaps: Gap[],
): EventPollerContext {
  const spec = {
    name: "f",
    revision: 1n,
    target: { kind: "http" as const, url: "http://f", headers: {} },
    timeoutMs: 1000,
    maxConcurrency: null,
    payloadBytesMax: 4096,
  };
  let ids = 0;
  const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
  return {
    driver: group,
    invoker,
    functions: { get: () => spec },
    archive: async () => null,
    memory,
    counters: new Counters(),
    observe: { call() {}, commit() {}, fetch() {} },
    clock: time,
    timers: time,
    random: random.next,
    newId: () => `id-${ids++}`,
    history: NO_HISTORY,
    tracer: NO_TRACER,
    log: silent,
    drainLimitMs: 500,
    fetchBytesMax: 1e6,
    fetchPartitionBytesMax: 1e6,
    inflatedBytesMax: 1e6,
    reports: {
      gap: (gap) => gaps.push(gap),
      problem() {},
      result() {},
      happened() {},
      ended() {},
      changed() {},
    },
  };
}
