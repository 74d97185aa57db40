import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import { type LocalPostgres, startPostgres } from "@penstock/local";
import { mapping } from "@penstock/proto";
import { countDuplicates, type Flow, waitUntil } from "@penstock/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { last, SETUP_MS, sharedByTwo, sharedWorld } from "../shared-world.ts";

const { DISABLED, DISABLING, ENABLED } = mapping.MappingState;
const VANISHED_MS = 20_000;

describe("the control plane is away", { timeout: SETUP_MS }, () => {
  const folder = mkdtempSync(join(tmpdir(), "penstock-control-"));
  let postgres: LocalPostgres;
  beforeAll(async () => {
    chmodSync(folder, 0o711); // the user that runs Postgres must be able to walk through it
    postgres = await startPostgres({ dataDir: join(folder, "postgres"), fsync: false });
  }, SETUP_MS);
  afterAll(async () => {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }, SETUP_MS);
  const shared = sharedWorld(async () => ({
    databaseUrl: await postgres.createDatabase("control"),
    pollers: 2,
    env: { PENSTOCK_NODE_VANISHED_MS: String(VANISHED_MS) },
  }));
  const twoPollers = { partitions: 4, mapping: { minimumPollers: 2, windowMs: 0 } };

  // F70, F71, F72 → I-19. Goal: without the database records flow as before; the API says so; afterwards the state catches up.
  // Method: stop the database, then kill it, then freeze it, each for several seconds under load.
  it.each(["stopped", "killed", "frozen"] as const)(
    "F70, F71, F72, I-19: with the database %s records flow on, the API answers Unavailable, and progress catches up",
    async (how) => {
      await shared.flow(twoPollers, async (flow) => {
        await sharedByTwo(flow);
        const adopted = adoptions(flow);
        if (how === "frozen") postgres.pause();
        else await (how === "stopped" ? postgres.stop() : postgres.kill());
        await flow.send(400);
        await flow.delivered(440);
        expect(await codeOf(shared.world.mappings.listEventSourceMappings({}))).toBe(
          Code.Unavailable,
        );
        await last(4000);
        await flow.send(400);
        await flow.delivered(840);
        if (how === "frozen") postgres.resume();
        else await postgres.restart();
        await caughtUp(flow, 840);
        await flow.drain();
        flow.check();
        expect(adoptions(flow)).toBe(adopted);
        expect(countDuplicates(flow.function.deliveries)).toBe(0);
      });
    },
  );

  // F70, I-19. Goal: the mapping service may die and come back, before its database does; nothing is reassigned meanwhile.
  // Method: SIGKILL it, stop the database, start it, then start the database; under load all the while.
  it("F70, I-18, I-19: the mapping service dies and starts before its database; records flow on and nothing is reassigned", async () => {
    await shared.flow(twoPollers, async (flow) => {
      await sharedByTwo(flow);
      const adopted = adoptions(flow);
      await shared.world.mappingService.kill();
      await flow.send(400);
      await flow.delivered(440);
      await postgres.stop();
      const starting = shared.world.startMappingService();
      await flow.send(400);
      await flow.delivered(840);
      await last(3000);
      await postgres.restart();
      await starting;
      await flow.send(400);
      await flow.delivered(1240);
      await caughtUp(flow, 1240);
      await flow.drain();
      flow.check();
      expect(adoptions(flow)).toBe(adopted);
      expect(countDuplicates(flow.function.deliveries)).toBe(0);
    });
  });

  // I-17. Goal: DISABLED is reported only when no call can start any more, and until then it is said who is waited for.
  // Method: freeze a poller that holds partitions, disable, look; thaw it, and send records after DISABLED.
  it("I-17, I-2: a mapping stays DISABLING and names the frozen node; after DISABLED no call starts", async () => {
    await shared.flow({ ...twoPollers, functionTimeoutMs: 60_000 }, async (flow) => {
      await sharedByTwo(flow);
      const frozen = shared.world.pollers[0];
      const held = flow.function.holdAll();
      await flow.send(40);
      await held.reached(2);
      frozen?.pause();
      try {
        await shared.world.mappings.updateEventSourceMapping({
          uuid: flow.mappingId,
          enabled: false,
        });
        held.release();
        await waitUntil("only the frozen node is waited for", async () => {
          const { state, waitingForNodes } = await flow.get();
          expect(state).toBe(DISABLING);
          return waitingForNodes.length === 1 && waitingForNodes[0] === frozen?.ready.id;
        });
        await last(2000);
        expect((await flow.get()).state).toBe(DISABLING);
      } finally {
        frozen?.resume();
      }
      await shared.world.waitForState(flow.mappingId, DISABLED, 60_000);
      const disabledMs = Date.now();
      await flow.send(100);
      await last(2000);
      const late = flow.function.deliveries.filter(({ startMs }) => startMs > disabledMs);
      expect(late).toEqual([]);
      await shared.world.mappings.updateEventSourceMapping({ uuid: flow.mappingId, enabled: true });
      await shared.world.waitForState(flow.mappingId, ENABLED, 60_000);
      await flow.drain();
      flow.check();
    });
  });

  // I-17, L-4. Goal: a changed mapping is in effect within 10 s, without a rebalance. Method: change batch size, filter and function in turn.
  it("I-17, L-4: changes of batch size, filter and function are in effect within 10 s, without a rebalance", async () => {
    const { mappings } = shared.world;
    await shared.flow({ mapping: { batchSize: 10, windowMs: 300 } }, async (flow) => {
      const uuid = flow.mappingId;
      await flow.send(40);
      await flow.drain();
      await mappings.updateEventSourceMapping({ uuid, batchSize: 3 });
      await applied(flow);
      const before = flow.function.deliveries.length;
      await flow.send(30);
      await flow.drain();
      for (const { offsets } of flow.function.deliveries.slice(before)) {
        expect([...offsets.values()].flat().length).toBeLessThanOrEqual(3);
      }

      const filterCriteria = { filters: [{ pattern: '{"key":["key-1"]}' }] };
      await mappings.updateEventSourceMapping({ uuid, filterCriteria });
      await applied(flow);
      const delivered = flow.function.deliveredCount();
      await flow.send(97);
      await flow.drain();
      expect(flow.function.deliveredCount()).toBe(delivered + 1);

      await shared.flow({ mapping: null }, async (other) => {
        await mappings.updateEventSourceMapping({ uuid, functionName: other.name });
        await applied(flow);
        await flow.send(97);
        await waitUntil(
          "the other function is called",
          () => other.function.deliveredCount() === 1,
        );
        expect(flow.function.deliveredCount()).toBe(delivered + 1);
        await mappings.deleteEventSourceMapping({ uuid });
      });
      expect(adoptions(flow)).toBe(1);
    });
  });

  // I-20. Goal: what was polled is accounted for. Method: filtered, failed, oversize and ordinary records, then the metrics of both pollers.
  it("I-20: polled = settled + filtered + skipped + discarded when nothing is in flight", async () => {
    const options = {
      partitions: 2,
      payloadBytesMax: 50_000,
      mapping: { windowMs: 20, batchSize: 10, filters: ['{"key":[{"prefix":"key-1"}]}'] },
    };
    await shared.flow(options, async (flow) => {
      let calls = 0;
      flow.function.answer = () => ({ status: ++calls % 4 === 0 ? 500 : 200 });
      await flow.send(970);
      await flow.sendMessages([{ key: "key-1", value: "x".repeat(60_000) }]);
      await flow.send(97);
      await flow.drain();
      const counts = await countersOf(flow);
      const sum = (name: string) => counts.get(`penstock_records_${name}_total`) ?? 0;
      expect(sum("polled")).toBe(970 + 1 + 97);
      expect(sum("gap")).toBe(1);
      expect(sum("settled")).toBe(flow.function.deliveredCount());
      expect(sum("filtered")).toBeGreaterThan(0);
      expect(sum("skipped")).toBe(1);
      expect(sum("polled")).toBe(
        sum("settled") + sum("filtered") + sum("skipped") + sum("discarded"),
      );
      expect(sum("invoked")).toBe(sum("settled") + sum("failed"));
      expect(counts.get("penstock_records_in_flight") ?? 0).toBe(0);
    });
  });

  /** Counters of a topic, summed over pollers and partitions. */
  async function countersOf(flow: Flow): Promise<Map<string, number>> {
    const sums = new Map<string, number>();
    for (const { ready } of shared.world.pollers) {
      const text = await (await fetch(`http://${ready.http}/metrics`)).text();
      for (const line of text.split("\n")) {
        const found = /^(\w+)\{(.*)\} (\S+)/.exec(line);
        if (found === null || !found[2]?.includes(flow.topic)) continue;
        const name = found[1] ?? "";
        sums.set(name, (sums.get(name) ?? 0) + Number(found[3]));
      }
    }
    return sums;
  }
});

/** The mapping's progress, as the API shows it, is at the end of all partitions. */
async function caughtUp(flow: Flow, records: number): Promise<void> {
  await waitUntil(
    "the stored progress catches up",
    async () => {
      const { partitions } = await flow.get();
      return partitions.reduce((sum, each) => sum + Number(each.committedOffset), 0) === records;
    },
    60_000,
  );
}

/** A change is in effect; L-4 says within 10 s. */
async function applied(flow: Flow): Promise<void> {
  await flow.world.waitForState(flow.mappingId, ENABLED, 10_000);
}

function adoptions(flow: Flow): number {
  return flow.events().filter(({ event }) => event === "adopted").length;
}

async function codeOf(call: Promise<unknown>): Promise<Code | null> {
  return call.then(
    () => null,
    (error: unknown) => ConnectError.from(error).code,
  );
}
