import { describe, expect, it } from "vitest";
import type { MappingFacts } from "../mapping-view.ts";
import type { NodeFacts } from "./node-view.ts";
import { isWanted, planPlacement } from "./plan-placement.ts";

const mapping = (changes: Partial<MappingFacts> = {}): MappingFacts => ({
  id: "m",
  revision: 1n,
  state: "Enabled",
  stateReason: "",
  isEnabled: true,
  arePinned: true,
  partitionCount: 4,
  topicId: "t",
  minimumPollers: 2,
  bootstrapServers: ["b:1"],
  topic: "orders",
  consumerGroupId: "g",
  sourceAccess: [],
  functionName: "f",
  hasFunction: true,
  sealedFilter: null,
  deletesConsumerGroup: false,
  problem: null,
  reported: null,
  startingPosition: "LATEST",
  startingPositionTimestampMs: null,
  createdAtMs: 0,
  stateSinceMs: 0,
  ...changes,
});

const node = (nodeId: string, condition: NodeFacts["condition"] = "accepting"): NodeFacts => ({
  nodeId,
  kind: "poller",
  condition,
  appliedGeneration: 0n,
});

const at = (index: number, nodeId: string, revision = 1n) => ({
  mappingId: "m",
  index,
  nodeId,
  revision,
});

describe("isWanted", () => {
  it("I-8: never before the start is pinned, and only in states in which it runs", () => {
    expect(isWanted(mapping())).toBe(true);
    expect(isWanted(mapping({ arePinned: false }))).toBe(false);
    expect(isWanted(mapping({ state: "Creating" }))).toBe(true);
    for (const state of ["Creating", "Updating", "Disabled"] as const) {
      expect(isWanted(mapping({ state, isEnabled: false }))).toBe(false);
    }
    for (const state of ["Disabling", "Deleting"] as const) {
      expect(isWanted(mapping({ state }))).toBe(false);
    }
  });
});

describe("planPlacement", () => {
  it("announces groups whose members change, not those that only start", () => {
    const start = planPlacement([mapping()], [node("a"), node("b")], []);
    expect(start).toMatchObject({ nodeIds: ["a", "b"], changingGroups: [] });
    const move = planPlacement([mapping()], [node("a")], [at(0, "a"), at(1, "b")]);
    expect(move).toMatchObject({
      added: [at(1, "a")],
      removed: [at(1, "b")],
      revised: [],
      changingGroups: ["g"],
    });
    expect(move?.nodeIds.toSorted()).toEqual(["a", "b"]);
  });

  it("tells only the holders of a new revision, and nobody without one", () => {
    const current = [at(0, "a"), at(1, "b")];
    const nodes = [node("a"), node("b"), node("c", "draining"), node("d", "gone")];
    expect(planPlacement([mapping()], nodes, current)).toBeNull();
    expect(planPlacement([mapping({ revision: 2n })], nodes, current)).toEqual({
      added: [],
      removed: [],
      revised: [at(0, "a", 2n), at(1, "b", 2n)],
      nodeIds: ["a", "b"],
      changingGroups: [],
    });
  });

  it("I-17: takes everything of a mapping that is to stop, from nodes that are gone too", () => {
    const current = [at(0, "a"), at(1, "gone")];
    const plan = planPlacement([mapping({ state: "Deleting" })], [node("a")], current);
    expect(plan?.removed).toEqual(current);
    expect(plan?.added).toEqual([]);
  });

  it("places nothing on invokers", () => {
    const invoker = { ...node("i"), kind: "invoker" as const };
    expect(planPlacement([mapping()], [invoker], [])).toBeNull();
  });
});
