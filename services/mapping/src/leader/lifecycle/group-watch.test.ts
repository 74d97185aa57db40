import { PenstockError } from "@penstock/core";
import { describe, expect, it } from "vitest";
import { ClusterAdmins } from "../clusters/cluster-admins.ts";
import type { MappingFacts } from "../mapping-view.ts";
import { type GroupQuestion, GroupWatch } from "./group-watch.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** A watch over a group that a test sets, with a clock that a test moves. */
function watched() {
  const state = {
    nowMs: 0,
    isAway: false,
    members: [] as { memberId: string; clientId: string }[],
    removed: [] as string[],
  };
  const guard = () => {
    if (state.isAway) throw new PenstockError("kafkaUnavailable", "away");
  };
  const clusters = new ClusterAdmins({
    open: () => ({
      describeTopic: async () => ({ topicId: "", partitions: [] }),
      listOffsets: async () => new Map(),
      describeGroup: async () => {
        guard();
        return { state: "Stable", members: state.members };
      },
      removeMember: async (_group, memberId) => {
        guard();
        state.removed.push(memberId);
        state.members = state.members.filter((one) => one.memberId !== memberId);
      },
      deleteGroup: async () => true,
      close: async () => {},
    }),
    answerMs: 1_000,
    nowMs: () => state.nowMs,
    log: silent,
  });
  let answered: (() => void) | null = null;
  const watch = new GroupWatch({
    clusters,
    intervalMs: 100,
    nowMs: () => state.nowMs,
    onAnswer: () => answered?.(),
  });
  const question: GroupQuestion = {
    mapping: {
      id: "m",
      consumerGroupId: "g",
      bootstrapServers: ["b:1"],
      sourceAccess: [],
    } as unknown as MappingFacts,
    goneMemberIds: new Set(["dead"]),
    goneNodeIds: ["node-gone"],
    knownMemberIds: new Set(["alive"]),
    presentNodeIds: ["node-up"],
  };
  const ask = async (afterMs: number) => {
    state.nowMs += afterMs;
    const answer = new Promise<void>((resolve) => {
      answered = resolve;
    });
    watch.watch([question]);
    await answer;
    return watch.verdict("m");
  };
  return { state, watch, ask };
}

describe("GroupWatch", () => {
  it("sends the leave of members whose node is gone, and counts from when none of ours is shown", async () => {
    const { state, ask } = watched();
    state.members = [
      { memberId: "dead", clientId: "penstock-node-gone" },
      { memberId: "alive", clientId: "penstock-node-x" },
      { memberId: "new", clientId: "penstock-node-up" },
      { memberId: "other", clientId: "somebody" },
    ];
    expect((await ask(0)).clearForMs).toBeNull();
    expect(state.removed).toEqual(["dead"]);
    expect((await ask(100)).clearForMs).toBe(0);
    expect((await ask(500)).clearForMs).toBe(500);
  });

  it("I-19: a node that lost us and not Kafka comes back each time, so its leave is sent at growing intervals", async () => {
    const { state, ask } = watched();
    for (let look = 0; look < 64; look++) {
      state.members = [{ memberId: "dead", clientId: "penstock-node-gone" }];
      expect((await ask(100)).clearForMs).toBeNull();
    }
    // After 100, 200, 400 ms and so on, of 6 400.
    expect(state.removed).toHaveLength(7);
  });

  it("knows a member of a node that is gone by its client id too: a classic group gave it an id that nobody was told", async () => {
    const { state, ask } = watched();
    state.members = [
      { memberId: "penstock-node-gone-4711", clientId: "penstock-node-gone" },
      { memberId: "penstock-node-up-4712", clientId: "penstock-node-up" },
      { memberId: "node-gone-4713", clientId: "node-gone-of-somebody" },
    ];
    expect((await ask(0)).clearForMs).toBeNull();
    expect(state.removed).toEqual(["penstock-node-gone-4711"]);
    expect((await ask(100)).clearForMs).toBe(0);
  });

  it("counts no time that it could not look at, and how long the brokers are away", async () => {
    const { state, ask, watch } = watched();
    await ask(0);
    expect((await ask(300)).clearForMs).toBe(300);
    state.isAway = true;
    expect(await ask(1_000)).toEqual({ clearForMs: null, unreachableForMs: 0 });
    expect((await ask(1_000)).unreachableForMs).toBe(1_000);
    state.isAway = false;
    expect(await ask(200)).toEqual({ clearForMs: 0, unreachableForMs: null });
    watch.watch([]);
    expect(watch.verdict("m")).toEqual({ clearForMs: null, unreachableForMs: null });
  });
});
