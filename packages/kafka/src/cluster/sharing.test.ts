import { PenstockError } from "@penstock/core";
import { describe, expect, it } from "vitest";
import { backoffMs } from "../connection/backoff.ts";
import { parseServer } from "./bootstrap-server.ts";
import { raceStaggered } from "./race.ts";
import { Refreshed } from "./refreshed.ts";

const never = () => new Promise<never>(() => {});
const POLICY = { ageMsMax: 1_000, paceMs: 0 };

describe("Refreshed", () => {
  function counted() {
    const clock = { now: 0, nowMs: () => clock.now, wallMs: () => 0 };
    let reads = 0;
    let problem: Error | null = null;
    const value = new Refreshed(
      async () => {
        reads++;
        if (problem) throw problem;
        return reads;
      },
      clock,
      POLICY,
    );
    return { clock, value, reads: () => reads, fail: (error: Error | null) => (problem = error) };
  }

  it("shares one read among all who ask, and keeps it until it is old", async () => {
    const { clock, value } = counted();
    expect(await Promise.all([value.get(), value.get()])).toEqual([1, 1]);
    clock.now = 999;
    expect(await value.get()).toBe(1);
    clock.now = 1_000;
    expect(await value.get()).toBe(2);
  });

  it("never gives out a value that is known to be wrong", async () => {
    const { value, fail } = counted();
    await value.get();
    value.invalidate();
    fail(new Error("away"));
    await expect(value.get()).rejects.toThrow("away");
    fail(null);
    expect(await value.get()).toBe(3);
  });

  it("doesn't keep what was read before the last invalidation", async () => {
    const { value } = counted();
    const reading = value.get();
    value.invalidate();
    expect(await reading).toBe(1);
    expect(await value.get()).toBe(2);
  });
});

describe("raceStaggered", () => {
  it("F04: one dead server costs the stagger, not its timeout", async () => {
    expect(await raceStaggered([never, async () => "second"], 5, () => {})).toBe("second");
  });

  it("a failure starts the next at once, and the first failure is told when all fail", async () => {
    const fails = (text: string) => async () => {
      throw new Error(text);
    };
    const race = raceStaggered([fails("first"), fails("second")], 60_000, () => {});
    await expect(race).rejects.toThrow("first");
  });

  it("hands late successes to the discard", async () => {
    const late = Promise.withResolvers<string>();
    const discarded = Promise.withResolvers<string>();
    const won = await raceStaggered([() => late.promise, async () => "won"], 1, discarded.resolve);
    expect(won).toBe("won");
    late.resolve("late");
    expect(await discarded.promise).toBe("late");
  });
});

describe("backoffMs", () => {
  it("doubles up to its limit, half of it random", () => {
    const at = (failures: number, random: number) => backoffMs(failures, 100, 2_000, () => random);
    expect([0, 1, 2, 3, 9].map((failures) => at(failures, 0))).toEqual([0, 50, 100, 200, 1_000]);
    expect([0, 1, 2, 3, 9].map((failures) => at(failures, 1))).toEqual([0, 100, 200, 400, 2_000]);
  });
});

describe("parseServer", () => {
  it("takes names, IPv4 and bracketed IPv6 with a port, and nothing else", () => {
    expect(parseServer(" kafka.example:9092 ")).toEqual({ host: "kafka.example", port: 9092 });
    expect(parseServer("[::1]:9092")).toEqual({ host: "::1", port: 9092 });
    for (const text of ["kafka", "kafka:0", "kafka:70000", "::1:9092", "http://kafka:9092", ""])
      expect(() => parseServer(text), text).toThrow(PenstockError);
  });
});
