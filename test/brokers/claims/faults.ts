/** What a member does while its broker, or its own process, is away. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { waitUntil } from "@penstock/testkit";
import { afterEach, expect, it } from "vitest";
import { type Bench, MOVED_MS_MAX } from "../rows/bench.ts";
import { type BrokerRow, isThorough } from "../rows/broker-row.ts";

const BACK_MS_MAX = 60_000;

export function claimsOfFaults(row: BrokerRow, bench: () => Bench): void {
  let child: ChildProcess | null = null;
  afterEach(() => {
    child?.kill("SIGKILL");
    child = null;
  });

  it("F01, I-2: a broker that restarts within the session costs no membership; commits go on, nothing is read twice", async () => {
    const { topic, groupId, probe } = await bench().alone(3, { fetches: true });
    await bench().operator.fill(topic, 0, 20);
    await probe.until("20 came", () => probe.offsetsOf(0).length === 20);
    const held = [...probe.held.values()];
    expect(await probe.commit(probe.assignment(0), 20n)).toBe("committed");
    await bench().kafka.restart();
    await bench().operator.fill(topic, 0, 20, 20);
    await probe.until("it dispatches again", () => probe.source.mayDispatch(), BACK_MS_MAX);
    await probe.until("40 came", () => probe.offsetsOf(0).at(-1) === 39n, BACK_MS_MAX);
    if (bench().keepsWhatStays) {
      expect(probe.of("lost")).toEqual([]);
      expect(probe.of("revoking")).toEqual([]);
      expect([...probe.held.values()]).toEqual(held);
      expect(probe.offsetsOf(0)).toHaveLength(40);
    }
    await untilCommitted(bench(), probe, 40n);
    expect(await bench().operator.committed(groupId, topic, 0)).toBe(40n);
    await probe.until("the problem heals", () => probe.problem === null, BACK_MS_MAX);
  });

  if (!isThorough(row)) return;

  it("F06, F35, I-2: while the broker says nothing a commit is unknown, nothing is dispatched once the session may have run out; then all goes on", async () => {
    const { probe } = await bench().alone(2);
    await probe.until("it dispatches", () => probe.source.mayDispatch());
    bench().kafka.pause();
    try {
      // A stop takes effect in a moment: the first may still be answered.
      let offset = 4n;
      const isUnknown = async () =>
        (await probe.commit(probe.assignment(0), offset++)) === "unknown";
      await waitUntil("a commit gets no answer", isUnknown);
      await probe.until("it stops dispatching", () => !probe.source.mayDispatch(), BACK_MS_MAX);
      const isTold = () => probe.problem?.code === "kafkaUnavailable";
      await probe.until("the problem shows", isTold, BACK_MS_MAX);
    } finally {
      bench().kafka.resume();
    }
    await probe.until(
      "it dispatches again",
      () => probe.source.mayDispatch() && probe.held.size === 2,
      MOVED_MS_MAX,
    );
    await untilCommitted(bench(), probe, 1_000n);
    await probe.until("the problem heals", () => probe.problem === null, BACK_MS_MAX);
  });

  it("F04, L-2, L-3: a broker that is away at the start is waited for with a reason; in service, a source closes without it in bounded time", async () => {
    const { topic, groupId } = await bench().topic(2);
    await bench().kafka.stop();
    const probe = bench().open({ topic, groupId, drainLimitMs: 500 });
    await probe.until("the problem shows", () => probe.problem?.code === "kafkaUnavailable");
    expect(probe.source.mayDispatch()).toBe(false);
    await bench().kafka.restart();
    await probe.untilHolds(2, BACK_MS_MAX);
    await probe.until("the problem heals", () => probe.problem === null, BACK_MS_MAX);
    await bench().kafka.stop();
    const startedAtMs = performance.now();
    await probe.source.close();
    expect(performance.now() - startedAtMs).toBeLessThan(20_000);
    expect(probe.state?.phase).toBe("left");
    await bench().kafka.restart();
  });

  // Method: a member in its own process gets SIGSTOP, another adopts its partitions and commits, SIGCONT.
  it("F32, I-5, I-18: a process that was stopped for longer than its session dispatches nothing and commits nothing of the time before", async () => {
    const { topic, groupId } = await bench().topic(2);
    const file = new URL("../../record-source/paused-member.ts", import.meta.url).pathname;
    const { bootstrapServers } = bench().world;
    const { driver, protocol } = bench().row;
    const started = spawn(
      process.execPath,
      [file, bootstrapServers, topic, groupId, driver, protocol],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    child = started;
    const lines = createInterface({ input: started.stdout })[Symbol.asyncIterator]();
    const next = async () => JSON.parse((await lines.next()).value ?? "null");
    expect(await next()).toMatchObject({ kind: "holds" });

    started.kill("SIGSTOP");
    const other = bench().open({ topic, groupId });
    await other.untilHolds(2, MOVED_MS_MAX);
    expect(await other.commit(other.assignment(0), 5n)).toBe("committed");
    expect(await other.commit(other.assignment(1), 5n)).toBe("committed");

    started.kill("SIGCONT");
    expect(await next()).toMatchObject({
      kind: "continued",
      mayDispatch: false,
      results: ["fenced", "fenced"],
    });
    expect(await bench().operator.committed(groupId, topic, 0)).toBe(5n);
    expect(await bench().operator.committed(groupId, topic, 1)).toBe(5n);
    expect(await next()).toEqual({ kind: "rejoined" });
    started.kill("SIGTERM");
    const [code] = await once(started, "exit");
    expect(code).toBe(0);
    await other.untilHolds(2, MOVED_MS_MAX);
  });
}

async function untilCommitted(
  bench: Bench,
  probe: Awaited<ReturnType<Bench["alone"]>>["probe"],
  offset: bigint,
): Promise<void> {
  await expect
    .poll(
      async () => (probe.held.has(0) ? probe.commit(probe.assignment(0), offset) : "not held"),
      { timeout: BACK_MS_MAX, message: `a commit on Kafka ${bench.row.version}` },
    )
    .toBe("committed");
}
