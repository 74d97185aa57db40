import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { callOf, httpFunction, startEgress } from "./egress-world.ts";

/** A function that holds its calls until they are released. */
async function holdingFunction() {
  const held: ServerResponse[] = [];
  const waiters: (() => void)[] = [];
  const url = await httpFunction((request, response) => {
    request.resume();
    held.push(response);
    for (const waiter of waiters.splice(0)) waiter();
  });
  return {
    url,
    held,
    async reached(count: number): Promise<void> {
      while (held.length < count) await new Promise<void>((resolve) => waiters.push(resolve));
    },
    releaseAll(): void {
      for (const response of held.splice(0)) response.end();
    },
  };
}

describe("FunctionInvoker", () => {
  it("refuses an unknown function and another revision without calling", async () => {
    let calls = 0;
    const url = await httpFunction((_request, response) => {
      calls++;
      response.end();
    });
    const { invoker, define } = startEgress();
    const call = define(url, { name: "f", revision: 7n });
    const other = { ...call, functionName: "g" };
    await expect(invoker.invoke(other)).resolves.toMatchObject({ kind: "unknownFunction" });
    const stale = { ...call, functionRevision: 6n };
    await expect(invoker.invoke(stale)).resolves.toMatchObject({ kind: "staleFunction" });
    const encodedForGrpc = { ...call, format: "handleRequest" as const };
    await expect(invoker.invoke(encodedForGrpc)).resolves.toMatchObject({ kind: "staleFunction" });
    invoker.remove("f");
    await expect(invoker.invoke(call)).resolves.toMatchObject({ kind: "unknownFunction" });
    expect(calls).toBe(0);
  });

  it("I-4: a function with max_concurrency runs under its share and nothing else", async () => {
    const held = await holdingFunction();
    const { invoker, define } = startEgress({ limits: { slotWaitMaxMs: 200 } });
    const call = define(held.url, { name: "f", maxConcurrency: 2 });
    await expect(invoker.invoke(call)).resolves.toMatchObject({ kind: "throttled" });
    invoker.setShares(new Map([["f", 2]]), 60_000);
    const outcomes = [1, 2, 3].map(() => invoker.invoke(call));
    await held.reached(2);
    expect([...invoker.use()]).toMatchObject([{ functionName: "f", inFlight: 2, waiting: 1 }]);
    await expect(outcomes[2]).resolves.toMatchObject({ kind: "throttled" });
    expect(held.held.length).toBe(2);
    held.releaseAll();
    await expect(Promise.all(outcomes.slice(0, 2))).resolves.toEqual([
      { kind: "success" },
      { kind: "success" },
    ]);
  });

  it("I-4: a share lapses unless it is leased again", async () => {
    const url = await httpFunction((_request, response) => response.end());
    const { invoker, define } = startEgress({ limits: { slotWaitMaxMs: 20 } });
    const call = define(url, { name: "f", maxConcurrency: 1 });
    invoker.setShares(new Map([["f", 1]]), 100);
    await expect(invoker.invoke(call)).resolves.toEqual({ kind: "success" });
    await new Promise((resolve) => setTimeout(resolve, 110));
    await expect(invoker.invoke(call)).resolves.toMatchObject({ kind: "throttled" });
    invoker.setShares(new Map([["f", 1]]), 60_000);
    await expect(invoker.invoke(call)).resolves.toEqual({ kind: "success" });
  });

  it("a waiting call gets the next slot", async () => {
    const held = await holdingFunction();
    const { invoker, define } = startEgress();
    const call = define(held.url, { name: "f", maxConcurrency: 1 });
    invoker.setShares(new Map([["f", 1]]), 60_000);
    const first = invoker.invoke(call);
    await held.reached(1);
    const second = invoker.invoke(call);
    held.releaseAll();
    await expect(first).resolves.toEqual({ kind: "success" });
    await held.reached(1);
    held.releaseAll();
    await expect(second).resolves.toEqual({ kind: "success" });
  });

  it("I-16: a function that hangs takes no slot of another one", async () => {
    const held = await holdingFunction();
    const quick = await httpFunction((_request, response) => response.end());
    const { invoker, define } = startEgress({
      limits: { functionCallsMax: 4, functionWaitingMax: 4 },
    });
    const hanging = define(held.url, { name: "hanging" });
    const calls = Array.from({ length: 8 }, () => invoker.invoke(hanging));
    await held.reached(4);
    await expect(invoker.invoke(hanging)).resolves.toMatchObject({ kind: "throttled" });
    const good = define(quick, { name: "quick" });
    for (let round = 0; round < 10; round++) {
      await expect(invoker.invoke(good)).resolves.toEqual({ kind: "success" });
    }
    held.releaseAll();
    await held.reached(4);
    held.releaseAll();
    await expect(Promise.all(calls)).resolves.toHaveLength(8);
  });

  it("I-15: holds no more payload bytes than it may, but always one call", async () => {
    const held = await holdingFunction();
    const { invoker, define } = startEgress({ limits: { payloadBytesInFlightMax: 1_000 } });
    const call = { ...define(held.url), payload: Buffer.alloc(5_000, " ") };
    const first = invoker.invoke(call);
    await expect(invoker.invoke(call)).resolves.toMatchObject({ kind: "throttled" });
    await held.reached(1);
    held.releaseAll();
    await expect(first).resolves.toEqual({ kind: "success" });
    expect(invoker.load).toEqual({ calls: 0, payloadBytes: 0 });
  });

  it("F32: what waited while this process stood still is not called", async () => {
    const held = await holdingFunction();
    const { invoker, define } = startEgress();
    const call = define(held.url, { name: "f", maxConcurrency: 1, timeoutMs: 60_000 });
    invoker.setShares(new Map([["f", 1]]), 60_000);
    const first = invoker.invoke(call);
    await held.reached(1);
    const second = invoker.invoke(call);
    const untilMs = performance.now() + 2_300;
    while (performance.now() < untilMs);
    await expect(second).resolves.toMatchObject({ kind: "throttled" });
    held.releaseAll();
    await expect(first).resolves.toEqual({ kind: "success" });
    expect(held.held.length).toBe(0);
  });

  it("a new revision leaves calls under way alone and counts them", async () => {
    const held = await holdingFunction();
    const { invoker, define } = startEgress();
    const call = define(held.url, { name: "f", maxConcurrency: 1 });
    invoker.setShares(new Map([["f", 1]]), 60_000);
    const first = invoker.invoke(call);
    await held.reached(1);
    const next = define(held.url, { name: "f", maxConcurrency: 1, revision: 2n });
    expect([...invoker.use()]).toMatchObject([{ inFlight: 1 }]);
    held.releaseAll();
    await expect(first).resolves.toEqual({ kind: "success" });
    await expect(invoker.invoke(call)).resolves.toMatchObject({ kind: "staleFunction" });
    const second = invoker.invoke(next);
    await held.reached(1);
    held.releaseAll();
    await expect(second).resolves.toEqual({ kind: "success" });
  });

  it("gives a trial call its answer", async () => {
    const url = await httpFunction((request, response) => {
      request.resume();
      response.writeHead(500).end("what went wrong");
    });
    const { invoker, define } = startEgress();
    const call = define(url, { name: "f", revision: 3n });
    const result = await invoker.invokeCaptured({ ...call, functionRevision: 0n });
    expect(result.outcome).toMatchObject({ kind: "functionError", statusCode: 500 });
    expect(result.response?.toString()).toBe("what went wrong");
    expect(result.durationMs).toBeGreaterThan(0);
  });

  it("a bounded number of origins keeps connections", async () => {
    const { invoker, define } = startEgress({ limits: { originsMax: 3 } });
    for (let round = 0; round < 10; round++) {
      const url = await httpFunction((_request, response) => response.end());
      await expect(invoker.invoke(define(url))).resolves.toEqual({ kind: "success" });
    }
    const call = callOf({
      name: "gone",
      revision: 1n,
      target: { kind: "http", url: "http://127.0.0.1/", headers: {} },
      timeoutMs: 1_000,
      maxConcurrency: null,
      payloadBytesMax: 1_024,
    });
    await expect(invoker.invoke(call)).resolves.toMatchObject({ kind: "unknownFunction" });
  });
});
