import { describe, expect, it } from "vitest";
import type { Delivery } from "../history/delivery.ts";
import type { PollerEvent } from "../history/poller-event.ts";
import { type Run, violationsOf } from "./check-run.ts";

const at = { topic: "t", partition: 0 };
const part = (epoch: number, from: number, to: number) => ({
  ...at,
  epoch,
  from,
  to,
  records: to - from,
});

function delivery(startMs: number, offsets: number[], status = 200, endMs = startMs + 5): Delivery {
  return {
    startMs,
    endMs,
    status,
    requestId: `r${startMs}`,
    mappingId: "m",
    attempt: 1,
    offsets: new Map([["t-0", offsets]]),
  };
}

/** Two batches of one lane, each called, answered, settled and committed; then a clean end. */
function goodRun(): {
  expected: Map<string, number[]>;
  deliveries: Delivery[];
  events: PollerEvent[];
} {
  const member = "a";
  return {
    expected: new Map([["t-0", [0, 1, 3, 4]]]),
    deliveries: [delivery(10, [0, 1]), delivery(20, [3, 4])],
    events: [
      { t: 1, member, event: "adopted", ...at, epoch: 1, offset: 0 },
      { t: 9, member, event: "called", request: "x", attempt: 1, parts: [part(1, 0, 2)] },
      {
        t: 16,
        member,
        event: "answered",
        request: "x",
        outcome: "success",
        parts: [part(1, 0, 2)],
      },
      { t: 16, member, event: "settled", ...at, epoch: 1, from: 0, to: 2, how: "success" },
      { t: 17, member, event: "committing", ...at, epoch: 1, offset: 3 },
      { t: 18, member, event: "committed", ...at, epoch: 1, offset: 3, result: "committed" },
      { t: 19, member, event: "called", request: "y", attempt: 1, parts: [part(1, 3, 5)] },
      {
        t: 26,
        member,
        event: "answered",
        request: "y",
        outcome: "success",
        parts: [part(1, 3, 5)],
      },
      { t: 26, member, event: "settled", ...at, epoch: 1, from: 3, to: 5, how: "success" },
      { t: 27, member, event: "committing", ...at, epoch: 1, offset: 5 },
      { t: 28, member, event: "committed", ...at, epoch: 1, offset: 5, result: "committed" },
      { t: 29, member, event: "ended", ...at, epoch: 1, how: "released" },
    ],
  };
}

const promisesOf = (run: Run) => [...new Set(violationsOf(run).map(({ promise }) => promise))];

describe("checkers", () => {
  it("accept a good run", () => {
    expect(violationsOf(goodRun())).toEqual([]);
  });

  it("I-1: find a record that no call carried, unless a gap names it", () => {
    const run = goodRun();
    run.expected.set("t-0", [0, 1, 3, 4, 7]);
    expect(promisesOf(run)).toEqual(["I-1"]);
    expect(promisesOf({ ...run, gaps: new Map([["t-0", new Set([7])]]) })).toEqual([]);
  });

  it("I-1: find half a batch dropped on a split", () => {
    const run = goodRun();
    run.deliveries = [delivery(10, [0, 1]), delivery(20, [3])];
    expect(promisesOf(run)).toEqual(["I-1"]);
  });

  it("I-1: do not take a failed call for a delivery", () => {
    const run = goodRun();
    run.deliveries = [delivery(10, [0, 1]), delivery(20, [3, 4], 500)];
    expect(promisesOf(run)).toEqual(["I-1"]);
  });

  it("I-3: find a batch that was attempted before the one before it was answered", () => {
    const run = goodRun();
    run.deliveries = [delivery(10, [0, 1], 200, 25), delivery(20, [3, 4])];
    expect(promisesOf(run)).toEqual(["I-3"]);
  });

  it("I-3: find a batch that skips or turns around records", () => {
    for (const offsets of [[4, 3], [0, 3], [2]]) {
      const run = goodRun();
      run.deliveries.push(delivery(30, offsets, 500));
      expect(promisesOf(run), String(offsets)).toEqual(["I-3"]);
    }
  });

  it("I-2: find a commit before its settlement, and one in the middle of a call", () => {
    const run = goodRun();
    const [early] = run.events.splice(4, 1) as [PollerEvent];
    run.events.splice(2, 0, early);
    expect(promisesOf(run)).toContain("I-2");
    const middle = goodRun();
    middle.events.splice(7, 0, {
      t: 20,
      member: "a",
      event: "committing",
      ...at,
      epoch: 1,
      offset: 4,
    });
    expect(promisesOf(middle)).toContain("I-2");
  });

  it("I-7: find a commit that falls", () => {
    const run = goodRun();
    run.events.push({
      t: 40,
      member: "a",
      event: "committed",
      ...at,
      epoch: 1,
      offset: 3,
      result: "committed",
    });
    expect(promisesOf(run)).toContain("I-7");
  });

  it("I-5: find an accepted commit of an old epoch, and let a refused one pass", () => {
    for (const [result, promises] of [
      ["committed", ["I-5"]],
      ["fenced", []],
    ] as const) {
      const run = goodRun();
      run.events.splice(9, 0, {
        t: 26.5,
        member: "b",
        event: "adopted",
        ...at,
        epoch: 2,
        offset: 3,
      });
      run.events[11] = {
        t: 28,
        member: "a",
        event: "committed",
        ...at,
        epoch: 1,
        offset: 5,
        result,
      };
      expect(promisesOf(run)).toEqual(promises);
    }
  });

  it("I-18: find a call of an old epoch after a new one began", () => {
    const run = goodRun();
    run.events.splice(6, 0, { t: 18.5, member: "b", event: "adopted", ...at, epoch: 2, offset: 3 });
    expect(promisesOf(run)).toContain("I-18");
  });

  it("I-4: find two calls of one lane at once", () => {
    const run = goodRun();
    const [answer] = run.events.splice(2, 1) as [PollerEvent];
    run.events.splice(7, 0, answer);
    expect(promisesOf(run)).toContain("I-4");
  });

  it("I-6: allow no duplicate after a clean end, and the records in flight after a crash", () => {
    const run = goodRun();
    run.deliveries.push(delivery(30, [3, 4]));
    expect(promisesOf(run)).toEqual(["I-6"]);
    const crashed = { ...run, events: run.events.slice(0, 9) };
    expect(promisesOf(crashed)).toEqual([]);
    crashed.deliveries = [...run.deliveries, delivery(40, [0, 1])];
    expect(promisesOf(crashed)).toEqual(["I-6"]);
  });
});
