import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type ConcurrencyLease,
  divideConcurrency,
  outstandingCalls,
} from "./divide-concurrency.ts";

const LEASE_MS = 10;

const newcomer = (nodeId: string): ConcurrencyLease => ({
  nodeId,
  isLive: true,
  callsMax: 0,
  leaseUntilMs: 0,
  lapsingCallsMax: 0,
  lapsingUntilMs: 0,
  inFlight: 0,
  waiting: 0,
});

/** An invoker that makes as many calls as its newest message allows, for as long as its lease. */
interface SimulatedInvoker {
  share: number;
  untilMs: number;
  inFlight: number;
}

/** The leader's table and the invokers behind it, driven by random events. */
class Simulation {
  nowMs = 0;
  callsMax: number;
  leases = new Map<string, ConcurrencyLease>();
  readonly invokers = new Map<string, SimulatedInvoker>();

  constructor(callsMax: number) {
    this.callsMax = callsMax;
  }

  join(nodeId: string): void {
    if (this.leases.has(nodeId)) return;
    this.leases.set(nodeId, newcomer(nodeId));
    this.invokers.set(nodeId, { share: 0, untilMs: 0, inFlight: 0 });
  }

  /** Cut off from the leader, but still able to call. */
  vanish(nodeId: string): void {
    const lease = this.leases.get(nodeId);
    if (lease !== undefined) this.leases.set(nodeId, { ...lease, isLive: false });
  }

  /** `delivered`: whether this invoker gets the message. */
  divide(delivered: (nodeId: string) => boolean): void {
    const turn = Math.floor(this.nowMs / 40);
    const grants = divideConcurrency(this.callsMax, [...this.leases.values()], this.nowMs, turn);
    for (const grant of grants) {
      const lease = this.leases.get(grant.nodeId);
      if (lease === undefined) continue;
      const leaseUntilMs = this.nowMs + LEASE_MS;
      this.leases.set(grant.nodeId, { ...lease, ...grant, leaseUntilMs });
      const invoker = this.invokers.get(grant.nodeId);
      if (invoker === undefined || !delivered(grant.nodeId)) continue;
      invoker.share = grant.callsMax;
      invoker.untilMs = leaseUntilMs;
    }
  }

  /** Starts calls up to the share, or ends some. A live invoker reports; calls of one whose lease ran out end with it. */
  call(nodeId: string, wanted: number): void {
    const invoker = this.invokers.get(nodeId);
    const lease = this.leases.get(nodeId);
    if (invoker === undefined || lease === undefined) return;
    const allowed = this.nowMs < invoker.untilMs ? invoker.share : 0;
    invoker.inFlight =
      wanted > invoker.inFlight ? Math.max(invoker.inFlight, Math.min(wanted, allowed)) : wanted;
    this.report(nodeId, wanted);
  }

  report(nodeId: string, wanted: number): void {
    const invoker = this.invokers.get(nodeId);
    const lease = this.leases.get(nodeId);
    if (invoker === undefined || lease === undefined || !lease.isLive) return;
    const waiting = Math.max(0, wanted - invoker.inFlight);
    this.leases.set(nodeId, { ...lease, inFlight: invoker.inFlight, waiting });
  }

  advance(ms: number): void {
    this.nowMs += ms;
    for (const [nodeId, lease] of this.leases) {
      const invoker = this.invokers.get(nodeId);
      if (lease.isLive || invoker === undefined) continue;
      if (this.nowMs >= invoker.untilMs) invoker.inFlight = 0;
    }
  }

  outstanding(): number {
    return [...this.leases.values()].reduce(
      (sum, one) => sum + outstandingCalls(one, this.nowMs),
      0,
    );
  }

  calls(): number {
    return [...this.invokers.values()].reduce((sum, one) => sum + one.inFlight, 0);
  }
}

const node = fc.integer({ min: 0, max: 3 }).map((at) => `n${at}`);
const event = fc.oneof(
  fc.record({ kind: fc.constant("join" as const), node }),
  fc.record({ kind: fc.constant("vanish" as const), node }),
  fc.record({ kind: fc.constant("call" as const), node, calls: fc.integer({ min: 0, max: 30 }) }),
  fc.record({ kind: fc.constant("advance" as const), ms: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ kind: fc.constant("divide" as const), lost: fc.subarray(["n0", "n1", "n2", "n3"]) }),
);

describe("divideConcurrency", () => {
  it("I-4: leases, and the calls made under them, never sum above the cap, whoever joins, vanishes or misses a message", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(event, { maxLength: 120 }),
        (callsMax, events) => {
          const simulation = new Simulation(callsMax);
          for (const one of events) {
            if (one.kind === "join") simulation.join(one.node);
            else if (one.kind === "vanish") simulation.vanish(one.node);
            else if (one.kind === "call") simulation.call(one.node, one.calls);
            else if (one.kind === "advance") simulation.advance(one.ms);
            else simulation.divide((nodeId) => !one.lost.includes(nodeId));
            expect(simulation.outstanding()).toBeLessThanOrEqual(callsMax);
            expect(simulation.calls()).toBeLessThanOrEqual(callsMax);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it("gives everything to live invokers once former leases have lapsed, at least one call each", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 4, max: 50 }),
        fc.array(event, { maxLength: 40 }),
        (callsMax, events) => {
          const simulation = new Simulation(callsMax);
          simulation.join("n0");
          for (const one of events) {
            if (one.kind === "join") simulation.join(one.node);
            else if (one.kind === "vanish" && one.node !== "n0") simulation.vanish(one.node);
            else if (one.kind === "advance") simulation.advance(one.ms);
            else if (one.kind === "divide") simulation.divide(() => true);
          }
          for (let round = 0; round < 8; round++) {
            simulation.divide(() => true);
            simulation.advance(3);
          }
          simulation.divide(() => true);
          const live = [...simulation.leases.values()].filter((lease) => lease.isLive);
          expect(live.reduce((sum, lease) => sum + lease.callsMax, 0)).toBe(callsMax);
          expect(Math.min(...live.map((lease) => lease.callsMax))).toBeGreaterThanOrEqual(1);
        },
      ),
    );
  });

  it("grants a newcomer its part only when the former share of the other has lapsed", () => {
    const simulation = new Simulation(10);
    simulation.join("n0");
    simulation.divide(() => true);
    expect(simulation.leases.get("n0")?.callsMax).toBe(10);
    simulation.join("n1");
    simulation.divide(() => true);
    expect(simulation.leases.get("n0")?.callsMax).toBe(5);
    expect(simulation.leases.get("n1")?.callsMax).toBe(0);
    simulation.advance(LEASE_MS - 1);
    simulation.divide(() => true);
    expect(simulation.leases.get("n1")?.callsMax).toBe(0);
    simulation.advance(1);
    simulation.divide(() => true);
    expect(simulation.leases.get("n1")?.callsMax).toBe(5);
  });

  it("keeps shares while nobody waits, and moves them to who waits from who has room", () => {
    const leases = (waiting: number): ConcurrencyLease[] => [
      { ...newcomer("n0"), callsMax: 5, leaseUntilMs: 100, inFlight: 1 },
      { ...newcomer("n1"), callsMax: 5, leaseUntilMs: 100, inFlight: 5, waiting },
    ];
    const shares = (waiting: number) =>
      divideConcurrency(10, leases(waiting), 0, 0).map((grant) => grant.callsMax);
    expect(shares(0)).toEqual([5, 5]);
    expect(shares(10)).toEqual([2, 5]);
  });

  it("lets invokers take turns when there are more of them than calls", () => {
    const simulation = new Simulation(1);
    for (const nodeId of ["n0", "n1"]) simulation.join(nodeId);
    const served = new Set<string>();
    for (let round = 0; round < 60; round++) {
      simulation.divide(() => true);
      for (const [nodeId, lease] of simulation.leases) {
        simulation.report(nodeId, 1);
        if (lease.callsMax === 1) served.add(nodeId);
      }
      simulation.advance(3);
    }
    expect([...served].sort()).toEqual(["n0", "n1"]);
  });
});
