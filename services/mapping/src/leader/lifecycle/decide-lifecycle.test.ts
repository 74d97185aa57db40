import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideLifecycle, type Holder, type LifecycleFacts } from "./decide-lifecycle.ts";

const LIMITS = { drainLimitMs: 25_000, enablingMaxMs: 30_000 };

const facts = (changes: Partial<LifecycleFacts>): LifecycleFacts => ({
  state: "Enabled",
  revision: 3n,
  isEnabled: true,
  arePinned: true,
  stateForMs: 0,
  holders: [],
  group: { clearForMs: null, unreachableForMs: null },
  problem: null,
  ...changes,
});

const holder = (changes: Partial<Holder> = {}): Holder => ({
  nodeId: "n",
  isGone: false,
  isAssigned: false,
  removal: null,
  appliedGeneration: 0n,
  held: [],
  ...changes,
});

const held = (revision = 3n, hasJoined = true) => ({ revision, hasJoined });
const decide = (changes: Partial<LifecycleFacts>) => decideLifecycle(facts(changes), LIMITS);
const WAIT = { do: "wait" };
const become = (state: string, reason = "USER_INITIATED") => ({ do: "become", state, reason });

const holders = fc.array(
  fc.record({
    nodeId: fc.uuid(),
    isGone: fc.boolean(),
    isAssigned: fc.boolean(),
    removal: fc.option(fc.bigInt({ min: 1n, max: 5n })),
    appliedGeneration: fc.bigInt({ min: 0n, max: 5n }),
    held: fc.array(fc.record({ revision: fc.constant(3n), hasJoined: fc.boolean() }), {
      maxLength: 2,
    }),
  }),
  { maxLength: 4 },
);
const milliseconds = fc.option(fc.integer({ min: 0, max: 60_000 }));

describe("decideLifecycle", () => {
  it("I-17: stops only when every holder has confirmed, or is gone and absent from the group for the drain limit", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("Disabling" as const, "Deleting" as const),
        holders,
        milliseconds,
        milliseconds,
        (state, all, clearForMs, unreachableForMs) => {
          const stateForMs = 60_000;
          const group = { clearForMs, unreachableForMs };
          const decision = decide({ state, holders: all, group, stateForMs });
          const open = all.filter(
            (one) =>
              one.isAssigned ||
              one.held.length > 0 ||
              (one.removal !== null && one.appliedGeneration < one.removal),
          );
          const isCertain =
            open.length === 0 ||
            (open.every((one) => one.isGone && !one.isAssigned) && (clearForMs ?? 0) >= 25_000);
          if (isCertain) {
            expect(decision.do).toBe(state === "Disabling" ? "become" : "delete");
            if (decision.do === "delete") expect(decision.unconfirmed).toEqual([]);
          } else if (decision.do === "delete") {
            expect(open.every((one) => one.isGone)).toBe(true);
            expect(unreachableForMs).toBeGreaterThanOrEqual(25_000);
            expect(decision.unconfirmed).toEqual(open.map((one) => one.nodeId));
          } else expect(decision).toEqual(WAIT);
        },
      ),
    );
  });

  it("I-17: a node that is up and does not confirm is waited for, whatever Kafka shows", () => {
    const group = { clearForMs: 1e9, unreachableForMs: 1e9 };
    for (const state of ["Disabling", "Deleting"] as const) {
      const all = [holder({ removal: 2n, appliedGeneration: 1n })];
      expect(decide({ state, holders: all, group, stateForMs: 1e9 })).toEqual(WAIT);
    }
  });

  it("I-8: leaves Creating only when the start is pinned", () => {
    expect(decide({ state: "Creating", arePinned: false, stateForMs: 1e9 })).toEqual(WAIT);
    expect(decide({ state: "Creating" })).toEqual(become("Enabled"));
    expect(decide({ state: "Creating", isEnabled: false })).toEqual(become("Disabled"));
  });

  it("stays Updating while a present holder runs an older revision", () => {
    const old = holder({ isAssigned: true, held: [held(2n)] });
    expect(decide({ state: "Updating", holders: [old] })).toEqual(WAIT);
    expect(decide({ state: "Updating", holders: [{ ...old, isGone: true }] })).toEqual(
      become("Enabled"),
    );
    expect(decide({ state: "Updating", holders: [{ ...old, held: [held()] }] })).toEqual(
      become("Enabled"),
    );
    expect(decide({ state: "Updating", isEnabled: false })).toEqual(become("Disabled"));
  });

  it("is Enabled when one event poller has joined, or in the end with the problem", () => {
    const joined = holder({ isAssigned: true, held: [held()] });
    const waiting = holder({ isAssigned: true, held: [held(3n, false)] });
    const enabling = (changes: Partial<LifecycleFacts>) =>
      decide({ state: "Enabling", stateForMs: 30_000, ...changes });
    expect(enabling({ holders: [joined], stateForMs: 0 })).toEqual(become("Enabled"));
    expect(enabling({ holders: [waiting], stateForMs: 29_999 })).toEqual(WAIT);
    expect(enabling({ holders: [{ ...joined, isGone: true }] })).toEqual(
      become("Enabled", "PROBLEM: No poller node is up."),
    );
    expect(enabling({ holders: [waiting] })).toEqual(
      become("Enabled", "PROBLEM: No event poller has joined the consumer group yet."),
    );
    expect(enabling({ holders: [waiting], problem: "No broker." })).toEqual(
      become("Enabled", "PROBLEM: No broker."),
    );
  });

  it("leaves states alone that no controller moves", () => {
    for (const state of ["Enabled", "Disabled"] as const) {
      expect(decide({ state, stateForMs: 1e9 })).toEqual(WAIT);
    }
  });
});
