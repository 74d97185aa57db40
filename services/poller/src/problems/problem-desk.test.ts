import { type InvokeOutcome, PenstockError } from "@penstock/core";
import { describe, expect, it } from "vitest";
import { troubleOf, unknownFunction } from "./function-trouble.ts";
import { ProblemDesk } from "./problem-desk.ts";

function newDesk() {
  const state = { nowMs: 0, told: [] as string[] };
  const desk = new ProblemDesk(
    () => state.nowMs,
    (problem) => state.told.push(problem?.code ?? "none"),
  );
  const fail = (lane: object, outcome: Partial<InvokeOutcome> = {}) => {
    const failed = { kind: "functionError", statusCode: 500, message: "HTTP 500", ...outcome };
    const trouble = troubleOf("f", failed as InvokeOutcome);
    if (trouble !== null) desk.failed(lane, trouble);
  };
  return { state, desk, fail };
}

describe("ProblemDesk", () => {
  it("tells the problem of the brokers first, then of a stopped lane, then of the function", () => {
    const { state, desk, fail } = newDesk();
    const [one, two] = [{}, {}];
    fail(one);
    desk.stopped(two, "above the end");
    desk.source(new PenstockError("kafkaTls", "expired"));
    desk.source(null);
    desk.forget(two);
    state.nowMs = 1_000;
    desk.succeeded(one);
    expect(state.told).toEqual([
      "functionFailing",
      "kafkaOffsetAboveEnd",
      "kafkaTls",
      "kafkaOffsetAboveEnd",
      "functionFailing",
      "none",
    ]);
  });

  it("F51: one poison record is a problem for as long as its lane fails, whatever other lanes do", () => {
    const { state, desk, fail } = newDesk();
    const [poisoned, well] = [{}, {}];
    for (state.nowMs = 0; state.nowMs < 60_000; state.nowMs += 500) {
      fail(poisoned);
      desk.succeeded(well);
      desk.review();
    }
    expect(state.told).toEqual(["functionFailing"]);
    desk.succeeded(poisoned);
    expect(state.told).toEqual(["functionFailing", "none"]);
  });

  it("F55: a brown-out, every other call failing, is told a few times a minute", () => {
    const { state, desk, fail } = newDesk();
    const lane = {};
    for (state.nowMs = 0; state.nowMs < 300_000; state.nowMs += 100) {
      if (state.nowMs % 200 === 0) fail(lane);
      else desk.succeeded(lane);
    }
    expect(state.told.length).toBeLessThan(25);
    desk.succeeded(lane);
    state.nowMs += 120_000;
    desk.review();
    expect(state.told.at(-1)).toBe("none");
  });

  it("throttling and a lost invoker are problems only when they last", () => {
    const { state, desk, fail } = newDesk();
    const lane = {};
    fail(lane, { kind: "throttled", message: "slow down" });
    state.nowMs = 9_999;
    desk.review();
    expect(state.told).toEqual([]);
    state.nowMs = 10_000;
    desk.review();
    expect(state.told).toEqual(["limitExceeded"]);
  });

  it("I-9: says in words what failed, whether it counts, and what to do", () => {
    const words = (outcome: Partial<InvokeOutcome>) =>
      troubleOf("f", { message: "refused.", ...outcome } as InvokeOutcome)?.problem.message;
    expect(words({ kind: "unreachable" })).toBe(
      "Function not reached (f): refused. No attempt is counted; the same records are sent again. " +
        "Check that it runs at the address in the registry and that the address is allowed.",
    );
    expect(words({ kind: "timeout", message: "" })).toContain("timed out (f). The attempt counts;");
    expect(words({ kind: "staleFunction" })).toBeUndefined();
    expect(unknownFunction("f").problem.code).toBe("functionMissing");
  });
});
