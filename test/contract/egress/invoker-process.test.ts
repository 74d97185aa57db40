import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { eventually, httpFunction } from "./egress-world.ts";
import { CALL, spawnInvoker, startPool } from "./stream-world.ts";

/** A function that notes when each call reached it; `hold` decides whether it answers. */
async function notedFunction(hold: () => boolean) {
  const reachedAtMs: number[] = [];
  const held: ServerResponse[] = [];
  const url = await httpFunction((request, response) => {
    request.resume();
    reachedAtMs.push(performance.now());
    if (hold()) held.push(response);
    else response.end();
  });
  return { url, reachedAtMs, held };
}

describe("an invoker that is a process", () => {
  it("F48: SIGKILL during a call: the call is lost after its deadline, the next ones run elsewhere", async () => {
    let isHolding = true;
    const { url, reachedAtMs } = await notedFunction(() => isHolding);
    const first = await spawnInvoker(url);
    const second = await spawnInvoker(url);
    const pool = startPool([first.address]);
    const startedMs = performance.now();
    const outcome = pool.invoke({ ...CALL, timeoutMs: 1_500 });
    await eventually(() => reachedAtMs.length).toBe(1);
    isHolding = false;
    pool.setInvokers([{ address: first.address }, { address: second.address }]);
    first.child.kill("SIGKILL");
    // The first of them may still be written to the one that is gone.
    await eventually(() => pool.invoke({ ...CALL, timeoutMs: 500 })).toEqual({ kind: "success" });
    await expect(outcome).resolves.toMatchObject({ kind: "connectionLost", mayHaveRun: true });
    expect(performance.now() - startedMs).toBeGreaterThan(1_500);
  });

  it("F32: SIGSTOP with calls on their way, then SIGCONT: none is made after it was given up", async () => {
    const { url, reachedAtMs } = await notedFunction(() => false);
    const invoker = await spawnInvoker(url);
    const pool = startPool([invoker.address], {
      keepAlive: { intervalMs: 200, timeoutMs: 300 },
      waitMaxMs: 500,
    });
    await expect(pool.invoke(CALL)).resolves.toEqual({ kind: "success" });
    invoker.child.kill("SIGSTOP");
    const calls = Array.from({ length: 5 }, () => pool.invoke({ ...CALL, timeoutMs: 300 }));
    const outcomes = await Promise.all(calls);
    const gaveUpAtMs = performance.now();
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ kind: "connectionLost", mayHaveRun: true });
    }
    invoker.child.kill("SIGCONT");
    await eventually(() => pool.invoke(CALL)).toEqual({ kind: "success" });
    const between = reachedAtMs.slice(1, -1).filter((atMs) => atMs < performance.now());
    expect(between.filter((atMs) => atMs > gaveUpAtMs)).toEqual([]);
    expect(reachedAtMs.length).toBe(2);
  });

  it("F48: a short SIGSTOP costs nothing", async () => {
    const { url } = await notedFunction(() => false);
    const invoker = await spawnInvoker(url);
    const pool = startPool([invoker.address]);
    await expect(pool.invoke(CALL)).resolves.toEqual({ kind: "success" });
    invoker.child.kill("SIGSTOP");
    const calls = Array.from({ length: 5 }, () => pool.invoke(CALL));
    invoker.child.kill("SIGCONT");
    const outcomes = await Promise.all(calls);
    expect(outcomes.filter(({ kind }) => kind !== "success")).toEqual([]);
  });
});
