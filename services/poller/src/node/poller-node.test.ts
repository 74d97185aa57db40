import type { RecordSource, RecordSourceOptions } from "@penstock/core";
import { describe, expect, it } from "vitest";
import type { EventPollerContext } from "../event-poller/context.ts";
import type { EventPollerSettings } from "../event-poller/settings.ts";
import { Counters } from "./counters.ts";
import { PollerNode } from "./poller-node.ts";

const SETTINGS: EventPollerSettings = {
  mappingId: "7d9f7c3e-0000-4000-8000-000000000001",
  index: 0,
  revision: 1n,
  bootstrapServers: ["broker:9092"],
  topic: "orders",
  consumerGroupId: "group",
  batchSize: 1,
  batchingWindowMs: 0,
  filterPatterns: [],
  functionName: "f",
  functionQualifier: "",
  sourceAccess: [],
  pinnedStarts: new Map(),
};

/** A node whose sources do nothing, and what it reports. */
function newNode(more: object = {}) {
  const problems: string[] = [];
  const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
  const source = { memberId: "member", mayDispatch: () => true, close: async () => {} };
  const context = {
    driver: { open: () => source as unknown as RecordSource },
    counters: new Counters(),
    memory: { count() {} },
    clock: { nowMs: () => 0, wallMs: () => 0 },
    timers: { after: () => () => {} },
    log,
    reports: {
      problem: (mappingId: string, _index: number, problem: Error | null) =>
        problems.push(`${mappingId}: ${problem?.message ?? "none"}`),
    },
    ...more,
  } as unknown as EventPollerContext;
  return { node: new PollerNode(context, () => {}), problems };
}

const runningIn = (node: PollerNode) =>
  [...node.pollers()].map((each) => each.settings().mappingId.slice(-1));

describe("PollerNode", () => {
  it("I-16: a mapping that it can't run is the problem of that mapping alone", async () => {
    const { node, problems } = newNode();
    const good = { ...SETTINGS, mappingId: SETTINGS.mappingId.replace(/1$/, "2") };
    node.assign(1n, [{ ...SETTINGS, filterPatterns: ["{"] }, good]);
    await Promise.resolve();
    expect(runningIn(node)).toEqual(["2"]);
    expect(problems).toEqual([`${SETTINGS.mappingId}: Invalid filter pattern definition.`]);
  });

  it("keeps the settings of before when it can't take new ones", () => {
    const { node, problems } = newNode();
    node.assign(1n, [SETTINGS]);
    node.assign(2n, [{ ...SETTINGS, revision: 2n, filterPatterns: ["{"] }]);
    expect([...node.pollers()].map((each) => each.settings().revision)).toEqual([1n]);
    expect(problems).toHaveLength(1);
  });

  it("ignores a generation that is older than the newest", () => {
    const { node } = newNode();
    node.assign(2n, [SETTINGS]);
    node.assign(1n, []);
    expect(runningIn(node)).toEqual(["1"]);
  });

  it("keeps the places of static members over a restart; what was taken away leaves for good, and a successor beside it has no name", async () => {
    const opened: (string | undefined)[] = [];
    const closed: boolean[] = [];
    const { node } = newNode({
      staticNodeId: "node",
      driver: {
        open: (options: RecordSourceOptions) => {
          opened.push(options.groupInstanceId);
          const close = async (isRestart: boolean) => {
            closed.push(isRestart);
          };
          return { memberId: "", mayDispatch: () => true, close };
        },
      },
    });
    node.assign(1n, [SETTINGS]);
    node.assign(2n, [{ ...SETTINGS, revision: 2n, bootstrapServers: ["other:9092"] }]);
    await node.drain();
    expect(opened).toEqual([`penstock-node-${SETTINGS.mappingId}-0`, undefined]);
    expect(closed).toEqual([false, true]);
  });
});
