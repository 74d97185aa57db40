import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { REPOSITORY_ROOT } from "@penstock/local";
import { mapping as mappings } from "@penstock/proto";
import { countDuplicates, type Flow, type ServiceProcess, waitUntil } from "@penstock/testkit";
import { describe, expect, it } from "vitest";
import { kafkaSettings, protocolsUnderTest } from "../kafka-under-test.ts";
import { lanesOf, SETUP_MS, sharedWorld } from "../shared-world.ts";

const ENV = { PENSTOCK_NODE_VANISHED_MS: "2000", PENSTOCK_DRAIN_LIMIT_MS: "4000" };

const { RECORD_TOO_LARGE } = mappings.GapReason;

const PROTOCOLS = protocolsUnderTest("consumer", "classic");

describe.each(PROTOCOLS)("a poller ends or freezes (%s groups)", (protocol) => {
  const shared = sharedWorld({ pollers: 0, env: { ...kafkaSettings(protocol), ...ENV } });

  // F31 → I-1, I-2, I-6. Goal: whenever a poller dies, what was committed is done and what was not is delivered again, no more.
  // Method: SIGKILL the owner while its window runs, in a call, at the answer, and around a commit; each time a successor takes over.
  it(
    "F31, I-1, I-2, I-6: killed before the call, in it, after the answer and around the commit, a poller loses nothing",
    async () => {
      let owner = await shared.world.addPoller();
      const mapping = { batchSize: 50, windowMs: 4000 };
      await shared.flow({ partitions: 2, mapping, functionTimeoutMs: 60_000 }, async (flow) => {
        async function succeed(): Promise<void> {
          owner = await shared.world.addPoller();
          await waitUntil("a successor holds the partitions", () => holds(owner, flow), 60_000);
        }
        const first = flow.function.deliveries.length;
        await flow.send(20);
        await waitUntil("records wait for the window", async () =>
          (await lanesOf(owner, flow.mappingId)).some(({ bufferedRecords }) => bufferedRecords > 0),
        );
        await owner.kill();
        const beforeCall = flow.function.deliveries.length - first;
        await succeed();
        await flow.drain();
        expect(beforeCall).toBe(0);
        expect(countDuplicates(flow.function.deliveries)).toBe(0);

        const held = flow.function.holdAll();
        await flow.send(200);
        await held.reached(2);
        await owner.kill();
        held.release();
        await succeed();
        await flow.drain();

        flow.function.answer = () => {
          setImmediate(() => void owner.kill());
          flow.function.answer = () => ({ status: 200 });
          return { status: 200 };
        };
        await flow.send(200);
        await owner.ended;
        await succeed();
        await flow.drain();

        const commits = countCommits(flow);
        await flow.send(2000);
        await waitUntil("a commit is under way", () => countCommits(flow) > commits + 1);
        await owner.kill();
        await succeed();
        await flow.drain();
        flow.check();
        expect(await owner.stop()).toBe(0);
      });
    },
    SETUP_MS,
  );

  // F32 → I-5, I-18. Goal: a poller that was frozen longer than its session neither commits nor calls for its old assignments.
  // Method: SIGSTOP the owner in a call, let the other adopt and go on, answer the old call, SIGCONT; then compare histories.
  it(
    "F32, I-5, I-18: a zombie commits nothing and starts nothing for what it no longer owns",
    async () => {
      const [zombie, other] = await Promise.all([
        shared.world.addPoller(),
        shared.world.addPoller(),
      ]);
      const mapping = { batchSize: 10, windowMs: 0, minimumPollers: 2 };
      await shared.flow({ partitions: 4, mapping, functionTimeoutMs: 120_000 }, async (flow) => {
        await waitUntil(
          "both pollers hold partitions",
          async () => (await holds(zombie, flow)) && (await holds(other, flow)),
          60_000,
        );
        const held = flow.function.holdAll();
        await flow.send(800);
        await held.reached(4);
        zombie.pause();
        try {
          const pausedAt = Date.now();
          await waitUntil(
            "the other adopts everything",
            async () => (await lanesOf(other, flow.mappingId)).length === 4,
            60_000,
          );
          held.release();
          await waitUntil("longer than the session", () => Date.now() > pausedAt + 9000);
        } finally {
          zombie.resume();
        }
        await waitUntil(
          "the zombie knows that it lost its partitions",
          () => flow.events().some((event) => event.event === "ended" && /^lost:/.test(event.how)),
          60_000,
        );
        await flow.send(400);
        await flow.drain(120_000);
        flow.check();
        const ends = flow.events().filter((event) => event.event === "ended");
        expect(ends.filter(({ how }) => how.startsWith("lost:")).length).toBeGreaterThan(0);
      });
      expect(await Promise.all([zombie.stop(), other.stop()])).toEqual([0, 0]);
    },
    SETUP_MS,
  );

  // The rest has one way to leave a group, whose protocols have claims of their own (test/brokers).
  if (protocol !== PROTOCOLS[0]) return;

  // F31 → I-1. Goal: a gap report outlives its reporter, since a committed gap is settled by nothing else.
  // Method: with the mapping service away let the owner commit past a record that is too large, kill it, and let a successor take over.
  it(
    "F31, I-1, I-19: a gap that a killed poller had committed and could not report is reported by its successor",
    async () => {
      const owner = await shared.world.addPoller();
      const options = { payloadBytesMax: 100_000, mapping: { batchSize: 10, windowMs: 0 } };
      await shared.flow(options, async (flow) => {
        await flow.send(5);
        await flow.drain();
        await shared.world.mappingService.kill();
        await flow.send(1, 150_000);
        await flow.send(5);
        await waitUntil("the commit has passed the record", () =>
          flow
            .events()
            .some(
              (event) =>
                event.event === "committed" && event.result === "committed" && event.offset >= 11,
            ),
        );
        await owner.kill();
        await shared.world.startMappingService();
        expect((await flow.get()).gaps).toEqual([]);
        const successor = await shared.world.addPoller();
        const gaps = await waitUntil(
          "the gap is stored",
          async () => {
            const found = await flow.get();
            return found.gaps.length > 0 ? found.gaps : null;
          },
          90_000,
        );
        expect(gaps).toMatchObject([
          { firstOffset: 5n, lastOffset: 5n, reason: RECORD_TOO_LARGE, partition: 0 },
        ]);
        expect(gaps[0]?.message).toMatch(/payload limit .* ended before/);
        await flow.send(5);
        await flow.drain();
        flow.check({ gaps: new Map([[`${flow.topic}-0`, new Set([5])]]) });
        expect(await successor.stop()).toBe(0);
      });
    },
    SETUP_MS,
  );

  // F80 → L-3, I-6. Goal: SIGTERM drains what is in flight, commits it, leaves the group and exits 0, whatever the phase.
  // Method: SIGTERM during start, in held calls (released a moment later), and while a rebalance is under way.
  it(
    "F80, L-3, I-6: SIGTERM during start, in a call and during a rebalance: drained, committed, group left, exit 0",
    async () => {
      expect(await terminateDuringStart()).toBe(0);
      const poller = await shared.world.addPoller();
      const mapping = { batchSize: 10, windowMs: 0, minimumPollers: 2 };
      await shared.flow({ partitions: 4, mapping, functionTimeoutMs: 60_000 }, async (flow) => {
        await waitUntil("it holds partitions", () => holds(poller, flow), 60_000);
        const held = flow.function.holdAll();
        await flow.send(40);
        await held.reached(4);
        const started = performance.now();
        const stopping = poller.stop();
        await waitUntil("it drains", async () =>
          poller.logLines.some((line) => /"msg":"stopping"/.test(line)),
        );
        held.release();
        expect(await stopping).toBe(0);
        expect(performance.now() - started).toBeLessThan(15_000);
        await flow.drain(2000);
        expect((await shared.world.admin.describeGroup(flow.mappingId)).members).toEqual([]);

        const next = await shared.world.addPoller();
        await flow.send(2000);
        await waitUntil("it is joining or has joined", async () => {
          const { members } = await shared.world.admin.describeGroup(flow.mappingId);
          return members.length > 0;
        });
        expect(await next.stop()).toBe(0);
        expect((await shared.world.admin.describeGroup(flow.mappingId)).members).toEqual([]);
        const last = await shared.world.addPoller();
        await flow.drain();
        flow.check();
        expect(countDuplicates(flow.function.deliveries)).toBe(0);
        expect(await last.stop()).toBe(0);
      });
    },
    SETUP_MS,
  );

  // F80 → L-3. Goal: an operator who is in a hurry is obeyed; what was in flight is delivered again.
  // Method: SIGTERM twice while calls are held.
  it(
    "F80, L-3, I-1: a second SIGTERM ends the process at once, and nothing is lost",
    async () => {
      const poller = await shared.world.addPoller();
      await shared.flow({ functionTimeoutMs: 60_000 }, async (flow) => {
        const held = flow.function.holdAll();
        await flow.send(20);
        await held.reached(1);
        const started = performance.now();
        const first = poller.stop();
        await waitUntil("it drains", async () =>
          poller.logLines.some((line) => /"msg":"stopping"/.test(line)),
        );
        void poller.stop();
        expect(await first).toBe(1);
        expect(performance.now() - started).toBeLessThan(8000);
        held.release();
        const next = await shared.world.addPoller();
        await flow.drain();
        flow.check();
        expect(await next.stop()).toBe(0);
      });
    },
    SETUP_MS,
  );

  // F89 → I-1, I-18. Goal: a bug that nobody catches ends the process with a code of its own, and another adopts its partitions.
  // Method: a preloaded file rejects a promise at SIGUSR2, in a call.
  it(
    "F89, I-1, I-6: an unhandled rejection ends the process with 70, and another adopts",
    async () => {
      const preload = join(import.meta.dirname, "throw-on-signal.mjs");
      const poller = await shared.world.addPoller({ NODE_OPTIONS: `--import ${preload}` });
      await shared.flow({ functionTimeoutMs: 60_000 }, async (flow) => {
        const held = flow.function.holdAll();
        await flow.send(20);
        await held.reached(1);
        process.kill(poller.pid, "SIGUSR2");
        expect(await poller.ended).toBe(70);
        expect(poller.logLines.join("\n")).toContain("a rejection that nobody handles");
        held.release();
        const next = await shared.world.addPoller();
        await flow.drain();
        flow.check();
        expect(await next.stop()).toBe(0);
      });
    },
    SETUP_MS,
  );
});

async function holds(poller: ServiceProcess, flow: Flow): Promise<boolean> {
  return (await lanesOf(poller, flow.mappingId)).length > 0;
}

function countCommits(flow: Flow): number {
  return flow.events().filter(({ event }) => event === "committing").length;
}

/** SIGTERM as soon as the process says its first word, before it is ready. */
async function terminateDuringStart(): Promise<number | null> {
  const main = join(REPOSITORY_ROOT, "services", "poller", "src", "main.ts");
  const child = spawn(process.execPath, [main], {
    env: {
      PATH: process.env.PATH,
      PENSTOCK_MAPPING_SERVICE: "127.0.0.1:9",
      PENSTOCK_POLLER_GRPC_PORT: "0",
      PENSTOCK_POLLER_HTTP_PORT: "0",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit") as Promise<[number | null]>;
  child.stdout.once("data", () => child.kill("SIGTERM"));
  const [code] = await ended;
  return code;
}
