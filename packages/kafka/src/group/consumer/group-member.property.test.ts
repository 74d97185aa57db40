import type { Assignment } from "@penstock/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GroupMember, type MemberStep } from "./group-member.ts";
import { ModelCoordinator, TOPIC_ID } from "./testing/model-coordinator.ts";

type Action =
  | { do: "beat" }
  | { do: "loseRequest" }
  | { do: "loseAnswer" }
  | { do: "retarget"; partitions: number[] }
  | { do: "release"; index: number }
  | { do: "wait"; ms: number }
  | { do: "forget" };

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Action>({ do: "beat" }) },
  { weight: 1, arbitrary: fc.constant<Action>({ do: "loseRequest" }) },
  { weight: 2, arbitrary: fc.constant<Action>({ do: "loseAnswer" }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("retarget" as const),
      partitions: fc.uniqueArray(fc.nat(5)),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("release" as const), index: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(4_000) }) },
  { weight: 1, arbitrary: fc.constant<Action>({ do: "forget" }) },
);

/** A member, its coordinator, and the lanes that hold what was assigned. */
class World {
  nowMs = 1_000;
  readonly coordinator = new ModelCoordinator();
  readonly member = new GroupMember({ memberId: "m", topic: "t", drainLimitMs: 3_000 });
  readonly held = new Map<Assignment, "live" | "draining">();
  mustBeFull = true;

  apply(steps: readonly MemberStep[]): void {
    for (const step of steps) {
      if (step.do === "assigned") {
        const twice = [...this.held.keys()].some(
          ({ partition }) => partition === step.assignment.partition,
        );
        expect(twice, "a partition has one assignment").toBe(false);
        this.held.set(step.assignment, "live");
      }
      if (step.do === "revoking") {
        expect(this.held.get(step.assignment)).toBe("live");
        this.held.set(step.assignment, "draining");
      }
      if (step.do === "lost") expect(this.held.delete(step.assignment)).toBe(true);
    }
  }

  beat(fate: "heard" | "requestLost" | "answerLost"): void {
    this.nowMs = Math.max(this.nowMs, this.member.nextTickAtMs(this.nowMs));
    const steps = this.member.tick(this.nowMs);
    this.apply(steps);
    if (!steps.some((step) => step.do === "heartbeat")) return;
    const heartbeat = this.member.compose(this.nowMs, false);
    if (this.mustBeFull) expect(heartbeat.owned, "full after a failure").not.toBeNull();
    if (heartbeat.owned) {
      const said = heartbeat.owned.flatMap(({ partitions }) => partitions).sort();
      const held = [...this.held.keys()].map(({ partition }) => partition).sort();
      expect(said, "what is said to be owned is what lanes hold").toEqual(held);
    }
    this.mustBeFull = false;
    const answer = fate === "requestLost" ? null : this.coordinator.heartbeat(heartbeat);
    if (fate !== "heard" || answer === null) {
      this.mustBeFull = true;
      this.apply(this.member.failed(this.nowMs + 5, "transient"));
    } else if (answer === "memberUnknown") {
      this.mustBeFull = true;
      this.apply(this.member.failed(this.nowMs + 5, "memberUnknown"));
      expect(this.held.size, "all is lost").toBe(0);
    } else this.apply(this.member.answered(this.nowMs + 5, answer));
  }

  /** I-18: whatever a lane may act on is still ours at the coordinator, unless the member was removed there. */
  checkOwnership(): void {
    if (!this.coordinator.isKnown || this.member.state.memberEpoch === 0) return;
    for (const { partition } of this.held.keys())
      expect(this.coordinator.holds(partition), `partition ${partition}`).toBe(true);
  }

  do(action: Action): void {
    switch (action.do) {
      case "beat":
        this.beat("heard");
        return;
      case "loseRequest":
        this.beat("requestLost");
        return;
      case "loseAnswer":
        this.beat("answerLost");
        return;
      case "retarget":
        this.coordinator.retarget(action.partitions);
        return;
      case "forget":
        this.coordinator.forget();
        return;
      case "wait":
        this.nowMs += action.ms;
        return;
      case "release": {
        const draining = [...this.held].filter(([, stage]) => stage === "draining");
        const chosen = draining[action.index % Math.max(1, draining.length)];
        if (!chosen) return;
        this.held.delete(chosen[0]);
        this.apply(this.member.release(this.nowMs, chosen[0]));
      }
    }
  }

  settle(): void {
    for (let turn = 0; turn < 30; turn++) {
      this.beat("heard");
      for (const [assignment, stage] of [...this.held])
        if (stage === "draining") {
          this.held.delete(assignment);
          this.apply(this.member.release(this.nowMs, assignment));
        }
    }
  }
}

describe("GroupMember", () => {
  it("F35, I-5, I-18: whatever heartbeats, answers and members are lost, it owns only what is its own and ends with its target", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const world = new World();
        world.coordinator.retarget([0, 1, 2]);
        for (const one of actions) {
          world.do(one);
          world.checkOwnership();
        }
        world.settle();
        const held = [...world.held.keys()].map(({ partition }) => partition).sort();
        expect(held).toEqual([...world.coordinator.assigned].sort());
        expect(world.coordinator.revoking.size).toBe(0);
        expect([...world.held.values()].every((stage) => stage === "live")).toBe(true);
        for (const { topicId, epoch } of world.held.keys()) {
          expect(topicId).toBe(TOPIC_ID);
          expect(epoch).toBeLessThanOrEqual(world.coordinator.epoch);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
