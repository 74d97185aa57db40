import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAPPING_STATES } from "../mapping/mapping.ts";
import { stateAfterUpdate } from "../mapping/mapping-transitions.ts";
import { decideLifecycle, type Holder, type LifecycleFacts } from "./decide-lifecycle.ts";
import { isLegalTransition } from "./legal-transitions.ts";
import {
  type MappingProblem,
  NO_NODE,
  NOT_CHANGED,
  NOT_JOINED,
  NOT_PINNED,
} from "./mapping-problem.ts";

const LIMITS = { drainLimitMs: 25_000, enablingMaxMs: 30_000, problemSettleMs: 5_000 };

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
const become = (state: string, problem: MappingProblem | null = null) => ({
  do: "become",
  state,
  problem,
});

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

  const joined = holder({ isAssigned: true, held: [held()] });
  const waiting = holder({ isAssigned: true, held: [held(3n, false)] });
  const away = { code: "kafkaUnavailable", message: "No broker." };
  const refused = { code: "kafkaAuthentication", message: "Bad password." };

  it("is Enabled when its start is pinned and one event poller has joined", () => {
    for (const state of ["Creating", "Enabling", "Updating"] as const) {
      expect(decide({ state, holders: [joined] })).toEqual(become("Enabled"));
      expect(decide({ state, holders: [joined], arePinned: false })).toEqual(WAIT);
      expect(decide({ state, holders: [waiting] })).toEqual(WAIT);
      expect(decide({ state, holders: [{ ...joined, isGone: true }] })).toEqual(WAIT);
    }
  });

  it("I-17: ends every start within 30 s, with what is known to be wrong, or with a guess", () => {
    for (const state of ["Creating", "Enabling", "Updating"] as const) {
      const end = (changes: Partial<LifecycleFacts>) => decide({ state, ...changes });
      const late = { stateForMs: 30_000 };
      expect(end({ holders: [waiting], stateForMs: 29_999 })).toEqual(WAIT);
      expect(end({ holders: [waiting], ...late })).toEqual(become("Enabled", NOT_JOINED));
      const behind = holder({ isAssigned: true, held: [held(2n)] });
      expect(end({ holders: [behind], ...late })).toEqual(become("Enabled", NOT_CHANGED));
      expect(end({ arePinned: false, ...late })).toEqual(become("Enabled", NOT_PINNED));
      expect(end({ problem: away, stateForMs: 29_999 })).toEqual(WAIT);
      expect(end({ problem: away, ...late })).toEqual(become("Enabled", away));
    }
  });

  it("does not wait for what only an operator can mend, so that it can be mended", () => {
    const state = "Creating" as const;
    const settled = { state, stateForMs: 5_000 };
    expect(decide({ state, stateForMs: 4_999, problem: refused })).toEqual(WAIT);
    expect(decide({ ...settled, problem: refused })).toEqual(become("Enabled", refused));
    expect(decide({ ...settled, holders: [{ ...joined, isGone: true }] })).toEqual(
      become("Enabled", NO_NODE),
    );
    expect(decide({ ...settled, isEnabled: false, arePinned: false, problem: refused })).toEqual(
      become("Disabled", refused),
    );
  });

  it("I-8: Creating disabled ends when the start is pinned; other settings of a disabled mapping are taken at once", () => {
    expect(decide({ state: "Creating", isEnabled: false })).toEqual(become("Disabled"));
    expect(decide({ state: "Creating", isEnabled: false, arePinned: false })).toEqual(WAIT);
    expect(decide({ state: "Updating", isEnabled: false, arePinned: false })).toEqual(
      become("Disabled"),
    );
  });

  it("I-17: no state ends as Disabled while a holder may call", () => {
    const stopping = holder({ held: [held()], removal: 2n, appliedGeneration: 1n });
    const confirmed = holder({ removal: 2n, appliedGeneration: 2n });
    for (const state of ["Creating", "Updating", "Disabling"] as const) {
      const late = { state, isEnabled: false, stateForMs: 1e9 };
      expect(decide({ ...late, holders: [stopping] })).toEqual(WAIT);
      expect(decide({ ...late, holders: [stopping], problem: refused })).toEqual(WAIT);
      expect(decide({ ...late, holders: [confirmed] })).toEqual(become("Disabled"));
    }
  });

  it("L-4: stays Updating while a present holder runs an older revision", () => {
    const old = holder({ nodeId: "m", isAssigned: true, held: [held(2n)] });
    expect(decide({ state: "Updating", holders: [joined, old] })).toEqual(WAIT);
    expect(decide({ state: "Updating", holders: [joined, { ...old, isGone: true }] })).toEqual(
      become("Enabled"),
    );
  });

  it("I-17: whatever it decides, and whatever a caller changes, is a legal change of state", () => {
    const problem = fc.option(
      fc.record({ code: fc.constantFrom("kafkaTls", "unavailable", "odd"), message: fc.string() }),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...MAPPING_STATES),
        fc.record({
          isEnabled: fc.boolean(),
          arePinned: fc.boolean(),
          stateForMs: fc.integer({ min: 0, max: 60_000 }),
          holders,
          problem,
        }),
        fc.boolean(),
        (state, given, wantsEnabled) => {
          const isEnabled =
            state === "Enabled" || state === "Enabling"
              ? true
              : state === "Disabled" || state === "Disabling"
                ? false
                : given.isEnabled;
          const decision = decide({ ...given, state, isEnabled });
          if (decision.do === "delete") expect(isLegalTransition(state, "gone")).toBe(true);
          if (decision.do === "become") {
            expect(isLegalTransition(state, decision.state)).toBe(true);
            expect(decision.state).toBe(isEnabled ? "Enabled" : "Disabled");
          }
          const next = stateAfterUpdate(state, { isEnabled }, { isEnabled: wantsEnabled });
          if (next !== state) expect(isLegalTransition(state, next)).toBe(true);
          expect(state === "Deleting" || isLegalTransition(state, "Deleting")).toBe(true);
        },
      ),
    );
  });

  it("leaves states alone that no controller moves", () => {
    for (const state of ["Enabled", "Disabled"] as const) {
      expect(decide({ state, stateForMs: 1e9 })).toEqual(WAIT);
    }
  });
});
