// A process's place in the fleet, against a real mapping-service port that goes away and comes back.
import { create } from "@bufbuild/protobuf";
import { PenstockError } from "@penstock/core";
import { fleet } from "@penstock/proto";
import { type JoinFleetOptions, joinFleet } from "@penstock/runtime";
import { describe, expect, it } from "vitest";
import { capturedLog, type FleetImplementation, startFleetServer } from "./fleet-service.ts";
import { signal, stopAfterEach } from "./stoppable.ts";

const keep = stopAfterEach();
const HELLO = {
  nodeId: "7b1f0f5e-7f0e-4b0e-9d8b-2f0f2b6c3c11",
  kind: fleet.NodeKind.POLLER,
  address: "127.0.0.1:7401",
  version: "1.0.0",
};

/** Waits for things to have happened, without polling. */
class Journal {
  readonly entries: string[] = [];
  readonly #waiters: { count: number; entry: string; resolve: () => void }[] = [];

  add(entry: string): void {
    this.entries.push(entry);
    for (const waiter of this.#waiters) {
      if (this.#count(waiter.entry) >= waiter.count) waiter.resolve();
    }
  }

  reached(entry: string, count = 1): Promise<void> {
    if (this.#count(entry) >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ entry, count, resolve }));
  }

  #count(entry: string): number {
    return this.entries.filter((other) => other === entry).length;
  }
}

/** A mapping service that welcomes everybody and writes down what it is told. */
function welcoming(journal: Journal): FleetImplementation {
  return {
    async *join(requests) {
      for await (const { message } of requests) {
        journal.add(message.case ?? "nothing");
        if (message.case === "hello") {
          yield { message: { case: "welcome", value: { replicaId: message.value.nodeId } } };
        }
      }
      journal.add("end");
    },
  };
}

function join(address: string, options: Partial<JoinFleetOptions> = {}) {
  const journal = new Journal();
  const { log, lines } = capturedLog();
  const membership = joinFleet({
    address,
    hello: HELLO,
    log,
    onMessage: ({ message }) => journal.add(message.case ?? "nothing"),
    onConnected: () => journal.add("connected"),
    onDisconnected: () => journal.add("disconnected"),
    backoffMinMs: 5,
    backoffMaxMs: 20,
    ...options,
  });
  keep({ stop: () => membership.close() });
  return { membership, journal, lines };
}

const holdings = create(fleet.JoinRequestSchema, { message: { case: "holdings", value: {} } });

describe("joinFleet", () => {
  it("says hello first, then what it is given, in order", async () => {
    const service = new Journal();
    const server = keep(await startFleetServer(welcoming(service)));
    const { membership, journal } = join(server.address);
    expect(membership.isConnected).toBe(false);
    expect(membership.send(holdings)).toBe(false);
    await journal.reached("welcome");
    expect(membership.isConnected).toBe(true);
    expect(membership.send(holdings)).toBe(true);
    await service.reached("holdings");
    expect(service.entries).toEqual(["hello", "holdings"]);
    expect(journal.entries).toEqual(["connected", "welcome"]);
  });

  it("can send from onConnected", async () => {
    const service = new Journal();
    const server = keep(await startFleetServer(welcoming(service)));
    const joined = join(server.address, {
      onConnected: () => joined.membership.send(holdings),
    });
    await service.reached("holdings");
  });

  it("F71, I-19: joins again, hello first, after the service was away", async () => {
    const before = new Journal();
    const server = await startFleetServer(welcoming(before));
    const { membership, journal } = join(server.address);
    await journal.reached("welcome");
    await server.stop();
    await journal.reached("disconnected");
    expect(membership.isConnected).toBe(false);
    expect(membership.send(holdings)).toBe(false);
    const after = new Journal();
    keep(await startFleetServer(welcoming(after), { port: server.port }));
    await journal.reached("connected", 2);
    expect(after.entries[0]).toBe("hello");
    expect(journal.entries).toEqual(
      ["connected", "welcome", "disconnected", "connected"].concat(journal.entries.slice(4)),
    );
  });

  it("joins when the service comes up later than the process", async () => {
    const probe = await startFleetServer({});
    await probe.stop();
    const { journal, lines } = join(probe.address);
    keep(await startFleetServer(welcoming(new Journal()), { port: probe.port }));
    await journal.reached("welcome");
    const retries = lines.filter((line) => line.includes("will try again"));
    for (const line of retries) expect(JSON.parse(line).delayMs).toBeLessThanOrEqual(20);
  });

  it("keeps trying when it is refused or put out", async () => {
    const hellos = new Journal();
    const server = keep(
      await startFleetServer({
        async *join(requests) {
          for await (const { message } of requests) {
            hellos.add(message.case ?? "nothing");
            if (hellos.entries.length < 3) throw new PenstockError("unavailable", "No leader.");
            yield { message: { case: "welcome", value: {} } };
            if (hellos.entries.length < 5) return;
          }
        },
      }),
    );
    const { journal, lines } = join(server.address);
    await journal.reached("connected", 3);
    expect(hellos.entries).toEqual(["hello", "hello", "hello", "hello", "hello"]);
    expect(lines.join("")).toContain("No leader.");
    expect(lines.join("")).toContain("ended the stream");
  });

  it("I-15: takes a bounded number of messages while the service doesn't read", async () => {
    const release = signal();
    const server = keep(
      await startFleetServer({
        async *join() {
          yield { message: { case: "welcome", value: {} } };
          await release.promise;
        },
      }),
    );
    const { membership, journal } = join(server.address, { queueMax: 10 });
    await journal.reached("welcome");
    let taken = 0;
    while (membership.send(holdings)) taken++;
    expect(taken).toBeLessThanOrEqual(11);
    release.resolve();
  });

  it("F80: sends what waits when it is closed, and stays away", async () => {
    const service = new Journal();
    const server = keep(await startFleetServer(welcoming(service)));
    const { membership, journal } = join(server.address);
    await journal.reached("welcome");
    membership.send(holdings);
    await membership.close();
    await membership.close();
    await service.reached("end");
    expect(service.entries).toEqual(["hello", "holdings", "end"]);
    expect(journal.entries).toEqual(["connected", "welcome", "disconnected"]);
    expect(membership.send(holdings)).toBe(false);
  });

  it("L-3: closes within its limit when the service doesn't react", async () => {
    const never = new Promise(() => {});
    const server = keep(
      await startFleetServer(
        {
          async *join() {
            yield { message: { case: "welcome", value: {} } };
            await never;
          },
        },
        { stopMsMax: 50 },
      ),
    );
    const { membership, journal } = join(server.address);
    await journal.reached("welcome");
    await membership.close();
    expect(membership.isConnected).toBe(false);
  });

  it("L-3: closes at once while it waits for the next attempt", async () => {
    const probe = await startFleetServer({});
    await probe.stop();
    const { membership, journal } = join(probe.address, {
      backoffMinMs: 60_000,
      backoffMaxMs: 60_000,
    });
    await membership.close();
    expect(journal.entries).toEqual([]);
  });
});
