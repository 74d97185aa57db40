import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CallGate, type GateWaiter } from "./call-gate.ts";

class Waiter implements GateWaiter {
  readonly id: number;
  readonly log: number[];
  constructor(id: number, log: number[]) {
    this.id = id;
    this.log = log;
  }
  admitted(): void {
    this.log.push(this.id);
  }
}

describe("CallGate", () => {
  it("admits in order of arrival and never above the limit", () => {
    const log: number[] = [];
    const gate = new CallGate({ callsMax: 2, waitingMax: 3 });
    const results = [1, 2, 3, 4, 5, 6].map((id) => gate.enter(new Waiter(id, log), 0));
    expect(results).toEqual(["admitted", "admitted", "waiting", "waiting", "waiting", "full"]);
    gate.release(0);
    gate.release(0);
    expect(log).toEqual([3, 4]);
    expect(gate.inFlight).toBe(2);
  });

  it("I-4: a function with a limit and no share, or a lapsed one, is not called", () => {
    const log: number[] = [];
    const gate = new CallGate({ callsMax: 10, waitingMax: 10 });
    gate.setShare({ callsMax: 0, lapsesAtMs: 0 }, 0);
    expect(gate.enter(new Waiter(1, log), 0)).toBe("waiting");
    gate.setShare({ callsMax: 1, lapsesAtMs: 100 }, 50);
    expect(log).toEqual([1]);
    expect(gate.enter(new Waiter(2, log), 60)).toBe("waiting");
    gate.release(100);
    expect(log).toEqual([1]);
    gate.setShare({ callsMax: 1, lapsesAtMs: 300 }, 200);
    expect(log).toEqual([1, 2]);
  });

  it("a waiter that left is not admitted", () => {
    const log: number[] = [];
    const gate = new CallGate({ callsMax: 1, waitingMax: 10 });
    gate.enter(new Waiter(1, log), 0);
    const second = new Waiter(2, log);
    gate.enter(second, 0);
    gate.enter(new Waiter(3, log), 0);
    gate.cancel(second);
    gate.release(0);
    expect(log).toEqual([3]);
  });

  it("I-4: calls in flight never grow above the share of the moment", () => {
    type Step = "enter" | "release" | number;
    const steps = fc.array(
      fc.oneof(fc.constant<Step>("enter"), fc.constant<Step>("release"), fc.nat(4)),
    );
    fc.assert(
      fc.property(steps, (all) => {
        const gate = new CallGate({ callsMax: 3, waitingMax: 5 });
        let share = Number.POSITIVE_INFINITY;
        for (const step of all) {
          const before = gate.inFlight;
          if (step === "enter") gate.enter({ admitted: () => {} }, 0);
          else if (step === "release" && before > 0) gate.release(0);
          else if (typeof step === "number") {
            share = step;
            gate.setShare({ callsMax: step, lapsesAtMs: 1 }, 0);
          }
          const limit = Math.min(3, share);
          expect(gate.inFlight).toBeLessThanOrEqual(Math.max(limit, before));
          if (gate.waiting > 0) expect(gate.inFlight).toBeGreaterThanOrEqual(limit);
        }
      }),
    );
  });
});
