import {
  type Answer,
  type Call,
  countDuplicates,
  type Flow,
  TestFunction,
  waitUntil,
} from "@penstock/testkit";
import { describe, expect, it } from "vitest";
import { last, SETUP_MS, sharedWorld } from "../shared-world.ts";

describe.concurrent("functions that misbehave", { timeout: SETUP_MS }, () => {
  const shared = sharedWorld();

  // F45 → I-9. Goal: throttling costs no attempt, an error costs one, and the function is told the number.
  // Method: 429 with Retry-After, 503, 500, then 200, for one batch.
  it("F45, I-9: 429 and 503 are waited out uncharged, 500 is charged, and the batch keeps its identity", async () => {
    await shared.flow({ mapping: { windowMs: 0 } }, async (flow) => {
      answerInTurn(flow, [
        { status: 429, headers: { "retry-after": "1" } },
        { status: 503 },
        { status: 500 },
        { status: 404 },
      ]);
      await flow.send(1);
      await flow.drain();
      const { deliveries } = flow.function;
      expect(deliveries.map(({ status }) => status)).toEqual([429, 503, 500, 404, 200]);
      expect(deliveries.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 2, 3]);
      expect(new Set(deliveries.map(({ requestId }) => requestId)).size).toBe(1);
      const [throttled, next] = deliveries;
      expect((next?.startMs ?? 0) - (throttled?.endMs ?? 0)).toBeGreaterThan(900);
      flow.check();
    });
  });

  // F41, F47 → I-2, I-9. Goal: a call that hangs ends by its deadline; an answer after it changes nothing.
  // Method: answer the first call long after the function's timeout.
  it("F41, F47, I-2, I-9: a hung call ends by its deadline, is charged, and its late success is ignored", async () => {
    const options = { functionTimeoutMs: 1500, mapping: { windowMs: 0, batchSize: 5 } };
    await shared.flow(options, async (flow) => {
      let calls = 0;
      flow.function.answer = () => ({ status: 200, delayMs: ++calls === 1 ? 4000 : 0 });
      await flow.send(5);
      await waitUntil("the call is made again", () => flow.function.deliveries.length >= 2);
      await flow.drain();
      const [first, second] = flow.function.deliveries;
      expect([first?.attempt, second?.attempt]).toEqual([1, 2]);
      expect(first?.requestId).toBe(second?.requestId);
      const answers = flow.events().filter((event) => event.event === "answered");
      expect(answers.map(({ outcome }) => outcome)).toEqual(["timeout", "success"]);
      await waitUntil("the late answer", () => first?.status === 200);
      const settled = flow.events().filter(({ event }) => event === "settled");
      expect(settled).toHaveLength(1);
    });
  });

  // F40 → I-1, I-9. Goal: a function that is not there is waited for, and that costs no attempt.
  // Method: the function's port is closed while records come, and opened again.
  it("F40, I-1, I-9: a function that refuses connections is waited for, uncharged", async () => {
    await shared.flow({ mapping: null }, async (flow) => {
      const away = await TestFunction.start();
      await away.stop();
      const { port } = away;
      // Before the mapping: pollers learn of another function a moment after the call that puts it.
      await flow.putFunction({ url: `http://127.0.0.1:${port}/` });
      await flow.createMapping({ windowMs: 0 });
      await flow.send(20);
      await waitUntil("it is said", async () =>
        /^PROBLEM: Function call failed\. Function not reached/.test(
          (await flow.get()).lastProcessingResult,
        ),
      );
      const back = await TestFunction.start(port);
      try {
        await flow.drain();
        expect(back.deliveredCount()).toBe(20);
        for (const { attempt } of back.deliveries) expect(attempt).toBe(1);
      } finally {
        await back.stop();
      }
    });
  });

  // F53 → I-16. Goal: a call longer than the group's session costs no membership and holds no other partition up.
  // Method: one partition's call takes 20 s (session: 8 s) while the others go on.
  it("F53, I-16, I-18: a call of 20 s costs no rebalance, and other partitions go on", async () => {
    const options = {
      partitions: 3,
      functionTimeoutMs: 60_000,
      mapping: { windowMs: 0, batchSize: 10 },
    };
    await shared.flow(options, async (flow) => {
      let isLong = true;
      flow.function.answer = ({ offsets }) => {
        const delayMs = isLong && offsets.has(`${flow.topic}-0`) ? 20_000 : 0;
        if (delayMs > 0) isLong = false;
        return { status: 200, delayMs };
      };
      await flow.sendMessages([{ value: "slow" }]);
      await waitUntil("the long call is under way", () => !isLong);
      await flow.send(600);
      await flow.delivered(400, 15_000);
      await flow.drain(90_000);
      flow.check();
      expect(flow.events().filter(({ event }) => event === "adopted")).toHaveLength(3);
      expect(countDuplicates(flow.function.deliveries)).toBe(0);
    });
  });

  // I-16. Goal: a mapping whose function fails or hangs delays no other.
  // Method: one function that always fails, one that never answers; a third mapping has to go on as if they weren't there.
  it("I-16: a failing and a hanging mapping do not delay another", async () => {
    const mapping = { windowMs: 0 };
    await shared.flow({ partitions: 3, mapping }, async (failing) => {
      failing.function.answer = () => ({ status: 500 });
      await shared.flow({ partitions: 3, mapping, functionTimeoutMs: 60_000 }, async (hanging) => {
        const held = hanging.function.holdAll();
        await Promise.all([failing.send(300), hanging.send(300)]);
        await held.reached(1);
        await waitUntil("it has failed", () => failing.function.deliveries.length > 0);
        await shared.flow({ partitions: 3, mapping }, async (well) => {
          await well.send(3000);
          await well.drain();
          well.check();
        });
        expect(hanging.function.deliveredCount()).toBe(0);
        held.release();
        await hanging.drain();
      });
      failing.function.answer = () => ({ status: 200 });
      await failing.drain(90_000);
      failing.check();
    });
  });

  // I-3, I-16. Goal: partitions that share a call share no fate.
  // Method: three short lanes share a call that fails; afterwards one partition keeps failing and the others are settled alone.
  it("I-3, I-10, I-16: a shared batch that fails is split by partition, and each goes its own way", async () => {
    await shared.flow({ partitions: 3, mapping: { windowMs: 1500 } }, async (flow) => {
      const poison = `${flow.topic}-1`;
      let isPoisoned = true;
      flow.function.answer = ({ offsets }) => ({
        status: isPoisoned && offsets.has(poison) ? 500 : 200,
      });
      await flow.send(30);
      await flow.delivered(20);
      const [shared, ...rest] = flow.function.deliveries;
      expect([...(shared?.offsets.keys() ?? [])].sort()).toEqual(
        [0, 1, 2].map((partition) => `${flow.topic}-${partition}`),
      );
      for (const each of rest) expect(each.offsets.size).toBe(1);
      for (const each of rest) expect(each.attempt).toBeGreaterThan(1);
      isPoisoned = false;
      await flow.drain();
      flow.check();
      expect(countDuplicates(flow.function.deliveries)).toBe(0);
    });
  });

  // I-14. Goal: batch size, payload limit and window are limits, and are used.
  // Method: more than a batch at once; records of 1 KB against a payload limit of 10 KB; one record with window 0 and with a long window.
  it("I-14: batches fill up to the batch size, the payload limit and the window, and never beyond", async () => {
    await shared.flow({ mapping: { batchSize: 7, windowMs: 2000 } }, async (flow) => {
      await flow.send(70);
      await flow.drain();
      expect(sizes(flow)).toEqual(new Array(10).fill(7));
      await flow.send(8);
      await flow.drain();
      expect(sizes(flow).slice(10)).toEqual([7, 1]);
    });
    const bytes: number[] = [];
    const options = { payloadBytesMax: 10_000, mapping: { batchSize: 1000, windowMs: 100 } };
    await shared.flow(options, async (flow) => {
      flow.function.answer = ({ body }) => {
        bytes.push(body.length);
        return { status: 200 };
      };
      await flow.send(60, 1000);
      await flow.drain();
      flow.check();
    });
    expect(Math.max(...bytes)).toBeLessThanOrEqual(10_000);
    expect(Math.max(...bytes)).toBeGreaterThan(8000);
    await shared.flow({ mapping: { batchSize: 1000, windowMs: 0 } }, async (flow) => {
      await flow.send(1);
      await flow.delivered(1);
      expect(sizes(flow)).toEqual([1]);
    });
  });
});

describe("invokers that end or freeze", { timeout: SETUP_MS }, () => {
  const shared = sharedWorld({ invokers: 2 });

  // F48 → I-1, I-9. Goal: calls that a killed invoker had are made again by another, and cost no attempt.
  // Method: hold calls on both invokers, SIGKILL one, release.
  it("F48, I-1, I-9: calls of a killed invoker are made again by another, uncharged", async () => {
    const options = { partitions: 6, mapping: { windowMs: 0, batchSize: 5 } };
    await shared.flow({ ...options, functionTimeoutMs: 8000 }, async (flow) => {
      const held = flow.function.holdAll();
      await flow.send(120);
      await held.reached(6);
      await shared.world.invokers[0]?.kill();
      held.release();
      await flow.drain();
      flow.check();
      const answers = flow.events().filter((event) => event.event === "answered");
      expect(answers.some(({ outcome }) => outcome === "connectionLost")).toBe(true);
      for (const { attempt } of flow.function.deliveries) expect(attempt).toBe(1);
    });
    await shared.world.addInvoker();
  });

  // F48, F32 → I-4, I-6. Goal: an invoker that was frozen makes no call that its poller has given up.
  // Method: SIGSTOP one of two, let calls go to it and beyond their deadline to the other, SIGCONT, count calls.
  it("F48, I-4, I-6: a frozen invoker makes no call after its poller gave it up", async () => {
    const frozen = shared.world.invokers[1];
    const options = { partitions: 6, mapping: { windowMs: 0, batchSize: 5 } };
    await shared.flow({ ...options, functionTimeoutMs: 3000 }, async (flow) => {
      await flow.send(120);
      await flow.drain();
      frozen?.pause();
      await flow.send(120);
      await waitUntil("a call of the frozen one was given up", () =>
        flow
          .events()
          .some((event) => event.event === "answered" && event.outcome === "connectionLost"),
      );
      await flow.drain();
      const resumedMs = Date.now();
      frozen?.resume();
      await last(3000);
      expect(flow.function.deliveries.filter(({ startMs }) => startMs >= resumedMs)).toEqual([]);
      expect(countDuplicates(flow.function.deliveries)).toBe(0);
      await flow.send(120);
      await flow.drain();
      flow.check();
    });
  });
});

/** Answers calls with these, one after the other, then 200. */
function answerInTurn(flow: Flow, answers: readonly Answer[]): void {
  const left = [...answers];
  flow.function.answer = (_call: Call) => left.shift() ?? { status: 200 };
}

/** Records of each call. */
function sizes(flow: Flow): number[] {
  return flow.function.deliveries.map(({ offsets }) =>
    [...offsets.values()].reduce((sum, each) => sum + each.length, 0),
  );
}
