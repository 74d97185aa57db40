import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Placement } from "./event-poller-board.ts";
import {
  type PlacementNode,
  placeEventPollers,
  type WantedEventPollers,
  wantedEventPollerCount,
} from "./place-event-pollers.ts";

const nodesOf = (...ids: string[]): PlacementNode[] =>
  ids.map((nodeId) => ({ nodeId, accepts: true }));

const wantedOf = (counts: readonly number[]): WantedEventPollers[] =>
  counts.map((count, at) => ({ mappingId: `m${String(at).padStart(3, "0")}`, count }));

const key = (placement: Placement) =>
  `${placement.mappingId}/${placement.index}@${placement.nodeId}`;

const keys = (placements: readonly Placement[]) => placements.map(key).sort();

const loads = (placements: readonly Placement[], nodeIds: readonly string[]) =>
  nodeIds.map((nodeId) => placements.filter((one) => one.nodeId === nodeId).length);

const world = fc.record({
  counts: fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 12 }),
  accepting: fc.integer({ min: 0, max: 5 }),
  keeping: fc.integer({ min: 0, max: 2 }),
  current: fc.array(
    fc.record({
      mapping: fc.integer({ min: 0, max: 14 }),
      index: fc.integer({ min: 0, max: 9 }),
      node: fc.integer({ min: 0, max: 9 }),
    }),
    { maxLength: 60 },
  ),
});

type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

function build({ counts, accepting, keeping, current }: World) {
  const nodes = Array.from({ length: accepting + keeping }, (_, at) => ({
    nodeId: `n${at}`,
    accepts: at < accepting,
  }));
  const unique = new Map<string, Placement>();
  for (const { mapping, index, node } of current) {
    const mappingId = `m${String(mapping).padStart(3, "0")}`;
    unique.set(`${mappingId}/${index}`, { mappingId, index, nodeId: `n${node}` });
  }
  return { wanted: wantedOf(counts), nodes, current: [...unique.values()] };
}

describe("placeEventPollers", () => {
  it("I-18: gives every wanted event poller exactly one node that accepts or already had it", () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const { wanted, nodes, current } = build(drawn);
        const placed = placeEventPollers(wanted, nodes, current);
        const before = new Set(current.map(key));
        const accepting = new Set(nodes.filter((node) => node.accepts).map((node) => node.nodeId));
        const slots = placed.map((one) => `${one.mappingId}/${one.index}`);
        expect(new Set(slots).size).toBe(slots.length);
        if (accepting.size > 0) {
          expect(placed.length).toBe(wanted.reduce((sum, one) => sum + one.count, 0));
        }
        for (const one of placed) {
          expect(accepting.has(one.nodeId) || before.has(key(one))).toBe(true);
        }
      }),
    );
  });

  it("balances nodes and spreads each mapping: neither differs by more than one", () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const { wanted, nodes, current } = build(drawn);
        const placed = placeEventPollers(wanted, nodes, current);
        const accepting = nodes.filter((node) => node.accepts).map((node) => node.nodeId);
        if (accepting.length === 0) return;
        const all = loads(placed, accepting);
        expect(Math.max(...all) - Math.min(...all)).toBeLessThanOrEqual(1);
        for (const { mappingId } of wanted) {
          const own = loads(
            placed.filter((one) => one.mappingId === mappingId),
            accepting,
          );
          expect(Math.max(...own) - Math.min(...own)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it("changes nothing when run on its own answer, in whatever order it is given", () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const { wanted, nodes, current } = build(drawn);
        const once = placeEventPollers(wanted, nodes, current);
        const twice = placeEventPollers(
          [...wanted].reverse(),
          [...nodes].reverse(),
          [...once].reverse(),
        );
        expect(keys(twice)).toEqual(keys(once));
      }),
    );
  });

  it("moves only what a lost node had", () => {
    const wanted = wantedOf([3, 3, 3, 3]);
    const before = placeEventPollers(wanted, nodesOf("a", "b", "c", "d"), []);
    const after = placeEventPollers(wanted, nodesOf("a", "b", "c"), before);
    const moved = before.filter((one) => !keys(after).includes(key(one)));
    expect(moved.every((one) => one.nodeId === "d")).toBe(true);
    expect(loads(after, ["a", "b", "c"])).toEqual([4, 4, 4]);
  });

  it("moves no more than a new node's fair part to it", () => {
    const wanted = wantedOf(Array.from({ length: 30 }, () => 2));
    const before = placeEventPollers(wanted, nodesOf("a", "b"), []);
    const after = placeEventPollers(wanted, nodesOf("a", "b", "c"), before);
    const moved = before.filter((one) => !keys(after).includes(key(one)));
    expect(moved.length).toBe(20);
    expect(loads(after, ["a", "b", "c"])).toEqual([20, 20, 20]);
  });

  it("leaves event pollers where they are while no node accepts", () => {
    const before = [{ mappingId: "m000", index: 0, nodeId: "gone" }];
    expect(placeEventPollers(wantedOf([2]), [], before)).toEqual(before);
  });

  it("I-19: keeps what an absent node has, and gives it nothing new", () => {
    const before = [{ mappingId: "m000", index: 0, nodeId: "away" }];
    const nodes = [{ nodeId: "away", accepts: false }, ...nodesOf("b")];
    expect(keys(placeEventPollers(wantedOf([2, 1]), nodes, before))).toEqual([
      "m000/0@away",
      "m000/1@b",
      "m001/0@b",
    ]);
  });

  it("places ten thousand event pollers on fifty nodes in a moment", () => {
    const wanted = wantedOf(Array.from({ length: 5_000 }, () => 2));
    const ids = Array.from({ length: 50 }, (_, at) => `n${at}`);
    const placed = placeEventPollers(wanted, nodesOf(...ids), []);
    expect(new Set(loads(placed, ids))).toEqual(new Set([200]));
  });
});

describe("wantedEventPollerCount", () => {
  it("is the minimum or one, at most one for each partition", () => {
    expect(wantedEventPollerCount(null, 6)).toBe(1);
    expect(wantedEventPollerCount(4, 6)).toBe(4);
    expect(wantedEventPollerCount(200, 6)).toBe(6);
  });
});
