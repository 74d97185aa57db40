import { describe, expect, it } from "vitest";
import { planWindow } from "./window-plan.ts";

const lane = (name: string, recordCount: number, waitingSinceMs: number) => ({
  name,
  recordCount,
  waitingSinceMs,
});
const names = (groups: { name: string }[][]) =>
  groups.map((group) => group.map(({ name }) => name));

describe("planWindow", () => {
  it("puts due lanes into one call, oldest first", () => {
    const lanes = [lane("b", 5, 20), lane("a", 5, 10)];
    expect(names(planWindow(lanes, 100, 20))).toEqual([["a", "b"]]);
  });

  it("starts another call when one is full", () => {
    const lanes = [lane("a", 60, 1), lane("b", 60, 2), lane("c", 60, 3)];
    expect(names(planWindow(lanes, 100, 3))).toEqual([["a", "b"], ["c"]]);
  });

  it("fills up a call with lanes whose window has not ended, but makes none for them", () => {
    const lanes = [lane("due", 5, 1), lane("young", 5, 50)];
    expect(names(planWindow(lanes, 100, 10))).toEqual([["due", "young"]]);
    expect(names(planWindow(lanes, 5, 10))).toEqual([["due"]]);
    expect(planWindow([lane("young", 5, 50)], 100, 10)).toEqual([]);
  });
});
