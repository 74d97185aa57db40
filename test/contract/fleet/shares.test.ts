import type { Database } from "@penstock/postgres";
import { fleet } from "@penstock/proto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { FakeNode } from "./fake-node.ts";
import { FleetWorld } from "./fleet-world.ts";
import { until } from "./until.ts";

let world: FleetWorld;
beforeAll(async () => {
  world = await FleetWorld.start();
});
afterEach(() => world.clear());
afterAll(() => world.stop());

async function putCapped(db: Database, name: string, maxConcurrency: number | null) {
  await db.sql`
    insert into functions (name, revision, target_kind, target, timeout_ms, max_concurrency, payload_bytes_max)
    values (${name}, 1, 'http', '{"url": "http://localhost/"}'::jsonb, 1000, ${maxConcurrency}, 1000000)
    on conflict (name) do update set max_concurrency = excluded.max_concurrency`;
}

/** Watches what invokers may call at any moment: the newest message, until its lease has run out. */
class ShareWatch {
  highest = 0;
  readonly #name: string;
  readonly #invokers: FakeNode[] = [];
  readonly #seen = new Map<FakeNode, { shares: fleet.ConcurrencyShares; untilMs: number }>();

  constructor(name: string) {
    this.#name = name;
  }

  add(invoker: FakeNode): FakeNode {
    this.#invokers.push(invoker);
    return invoker;
  }

  of(invoker: FakeNode): number {
    const seen = this.#seen.get(invoker);
    if (seen === undefined || performance.now() >= seen.untilMs) return 0;
    return seen.shares.shares.find((share) => share.functionName === this.#name)?.callsMax ?? 0;
  }

  /** Looks now; a gone invoker keeps what it last got until that lapses. */
  look(): void {
    for (const invoker of this.#invokers) {
      const { shares } = invoker;
      if (shares === null || this.#seen.get(invoker)?.shares === shares) continue;
      const leaseMs =
        Number(shares.lease?.seconds ?? 0n) * 1000 + (shares.lease?.nanos ?? 0) / 1_000_000;
      this.#seen.set(invoker, { shares, untilMs: performance.now() + leaseMs });
    }
    const sum = this.#invokers.reduce((total, invoker) => total + this.of(invoker), 0);
    this.highest = Math.max(this.highest, sum);
  }

  async until(claim: () => boolean): Promise<void> {
    await until(() => {
      this.look();
      return claim();
    });
  }
}

const kind = fleet.NodeKind.INVOKER;

describe("concurrency shares", () => {
  it("I-4: never sum above the cap while invokers join and vanish, and come to sum to it", async () => {
    const db = await world.database();
    await putCapped(db, "f", 10);
    await putCapped(db, "free", null);
    const replica = await world.replica(db);
    const watch = new ShareWatch("f");
    const one = watch.add(world.node(replica.address, { kind }));
    await watch.until(() => watch.of(one) === 10);
    expect(one.shares?.shares.map((share) => share.functionName)).toEqual(["f"]);
    const two = watch.add(world.node(replica.address, { kind }));
    await watch.until(() => watch.of(one) === 5 && watch.of(two) === 5);
    await one.vanish();
    await watch.until(() => watch.of(two) === 10);
    const three = watch.add(world.node(replica.address, { kind }));
    await watch.until(() => watch.of(two) === 5 && watch.of(three) === 5);
    expect(watch.highest).toBe(10);
  });

  it("go to the invoker whose calls wait, from the one that has room, not before that one's calls have ended", async () => {
    const db = await world.database();
    await putCapped(db, "f", 10);
    const replica = await world.replica(db);
    const watch = new ShareWatch("f");
    const idle = watch.add(world.node(replica.address, { kind }));
    await watch.until(() => watch.of(idle) === 10);
    const busy = watch.add(world.node(replica.address, { kind }));
    await watch.until(() => watch.of(idle) === 5 && watch.of(busy) === 5);
    const use = (node: FakeNode, inFlight: number, waiting: number) =>
      node.send({
        case: "shareUse",
        value: { uses: [{ functionName: "f", inFlight, waiting }] } as fleet.ShareUse,
      });
    use(idle, 4, 0);
    use(busy, 5, 40);
    await watch.until(() => watch.of(idle) < 5);
    await watch.until(() => watch.of(busy) === 6);
    use(idle, 0, 0);
    await watch.until(() => watch.of(busy) === 9);
    expect(watch.highest).toBe(10);
  });

  it("lapse without a leader, and end with the limit", async () => {
    const db = await world.database();
    await putCapped(db, "f", 3);
    const replica = await world.replica(db);
    const watch = new ShareWatch("f");
    const invoker = watch.add(world.node(replica.address, { kind }));
    await watch.until(() => watch.of(invoker) === 3);
    await putCapped(db, "f", null);
    await until(async () => (await db.sql`select 1 from concurrency_shares`).length === 0);
    await watch.until(() => invoker.shares?.shares.length === 0);
    await putCapped(db, "f", 3);
    await watch.until(() => watch.of(invoker) === 3);
    await db.sql`update leadership set term = term + 1, leader_id = null, lease_until = 'infinity'`;
    await watch.until(() => watch.of(invoker) === 0);
    expect(invoker.isOver).toBe(false);
  });
});
