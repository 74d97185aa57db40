import { PenstockError } from "@penstock/core";
import { describe, expect, it } from "vitest";
import { RepeatingTask } from "./repeating-task.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** A task whose runs a test lets through one by one. */
function gated(intervalMs: number) {
  const state = { runs: 0, atOnce: 0, atOnceMax: 0 };
  let release: (() => void) | null = null;
  let started: (() => void) | null = null;
  let failure: Error | null = null;
  const task = new RepeatingTask({
    name: "test",
    intervalMs,
    log: silent,
    work: async () => {
      state.runs++;
      state.atOnce++;
      state.atOnceMax = Math.max(state.atOnceMax, state.atOnce);
      await new Promise<void>((resolve) => {
        release = resolve;
        started?.();
      });
      state.atOnce--;
      if (failure !== null) throw failure;
    },
  });
  const running = () =>
    new Promise<void>((resolve) => {
      started = resolve;
    });
  return {
    task,
    state,
    running,
    release: (error: Error | null = null) => {
      failure = error;
      release?.();
    },
  };
}

describe("RepeatingTask", () => {
  it("runs one at a time; wake-ups during a run cause one more", async () => {
    const { task, state, running, release } = gated(60_000);
    let next = running();
    task.start();
    await next;
    for (let at = 0; at < 5; at++) task.wake();
    next = running();
    release();
    await next;
    expect(state).toEqual({ runs: 2, atOnce: 1, atOnceMax: 1 });
    const stopping = task.stop();
    release();
    await stopping;
    expect(state.runs).toBe(2);
  });

  it("runs again after the interval, also after a failure", async () => {
    const { task, state, running, release } = gated(1);
    let next = running();
    task.start();
    await next;
    next = running();
    release(new PenstockError("unavailable", "away"));
    await next;
    expect(state.runs).toBe(2);
    const stopping = task.stop();
    release();
    await stopping;
  });

  it("does nothing before its start and after its stop", async () => {
    const { task, state } = gated(1);
    task.wake();
    await task.stop();
    task.wake();
    expect(state.runs).toBe(0);
  });
});
