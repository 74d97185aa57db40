import type { LostReason, MembershipState } from "@penstock/core";
import { describe, expect, it } from "vitest";
import { AutoMembership, type SpokenProtocol } from "./auto-membership.ts";
import type { MembershipEvents } from "./membership.ts";
import { FakeMembership } from "./testing/fake-membership.ts";

class Inner extends FakeMembership {
  isStarted = false;
  isAborted = false;
  readonly protocol: SpokenProtocol;
  readonly events: MembershipEvents;
  readonly refuse: () => void;

  constructor(protocol: SpokenProtocol, events: MembershipEvents, refuse: () => void) {
    super();
    this.groupInstanceId = "node-1";
    this.protocol = protocol;
    this.events = events;
    this.refuse = refuse;
  }

  start(): void {
    this.isStarted = true;
  }

  override abort(): void {
    this.isAborted = true;
    this.events.changed(this.state("left"));
  }

  state(phase: MembershipState["phase"], rebalances = 0): MembershipState {
    return { phase, memberId: this.memberId, memberEpoch: this.memberEpoch, rebalances };
  }
}

function world() {
  let nowMs = 0;
  const opened: Inner[] = [];
  const told: string[] = [];
  const auto = new AutoMembership(
    {
      clock: { nowMs: () => nowMs, wallMs: () => nowMs },
      open: (protocol, events, refuse, mayBeStatic) => {
        const inner = new Inner(protocol, events, refuse);
        if (!mayBeStatic) inner.groupInstanceId = null;
        opened.push(inner);
        return inner;
      },
    },
    {
      assigned: ({ partition }) => told.push(`assigned ${partition}`),
      revoking: ({ partition }) => told.push(`revoking ${partition}`),
      lost: ({ partition }, reason: LostReason) => told.push(`lost ${partition} ${reason}`),
      changed: ({ phase, rebalances }) => told.push(`${phase} ${rebalances}`),
      problem: () => {},
    },
  );
  auto.start();
  const last = () => opened.at(-1) as Inner;
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { auto, opened, told, last, pass };
}

describe("AutoMembership", () => {
  it("begins with the consumer protocol, and takes the classic one where that is refused", () => {
    const { opened, told, last } = world();
    expect(last().protocol).toBe("consumer");
    last().refuse();
    expect(opened.map(({ protocol, isStarted }) => [protocol, isStarted])).toEqual([
      ["consumer", true],
      ["classic", true],
    ]);
    expect(opened[0]?.isAborted).toBe(true);
    expect(told, "of the one that ended nothing is told").toEqual([]);
  });

  it("looks again with each new incarnation of a classic member", () => {
    const { auto, opened, told, last } = world();
    last().refuse();
    const classic = last();
    classic.events.changed(classic.state("member", 3));
    const { incarnation } = auto;
    const assignment = classic.own(0);
    classic.events.lost(assignment, "memberUnknown");
    classic.events.changed(classic.state("joining", 3));
    expect(opened.map(({ protocol }) => protocol)).toEqual(["consumer", "classic", "consumer"]);
    expect(told).toEqual(["member 3", "lost 0 memberUnknown", "joining 3"]);
    last().events.changed(last().state("member", 1));
    expect(told.at(-1), "rebalances are counted on").toBe("member 4");
    expect(auto.incarnation).toBeGreaterThan(incarnation);
    // What is said of the member of before doesn't concern this one.
    const present = last().own(1);
    auto.memberUnknown(incarnation);
    expect(auto.isAlive(present)).toBe(true);
    expect(auto.isAlive(assignment)).toBe(false);
  });

  it("a member in its group stays with its protocol whatever is refused; one of the consumer protocol that is unknown keeps it", () => {
    const { opened, last } = world();
    const consumer = last();
    consumer.events.changed(consumer.state("member"));
    consumer.refuse();
    consumer.events.changed(consumer.state("joining"));
    expect(opened).toHaveLength(1);
    consumer.refuse();
    expect(last().protocol).toBe("classic");
  });

  it("F07: who lost its group instance id to another process never asks for it again, in either protocol", () => {
    const { auto, opened, last } = world();
    last().refuse();
    expect(auto.groupInstanceId).toBe("node-1");
    const classic = last();
    classic.events.changed(classic.state("member"));
    classic.groupInstanceId = null;
    classic.events.changed(classic.state("joining"));
    expect(last().protocol).toBe("consumer");
    expect(auto.groupInstanceId).toBeNull();
    last().refuse();
    expect(opened.map(({ protocol }) => protocol)).toEqual([
      ...["consumer", "classic", "consumer", "classic"],
    ]);
    expect(auto.groupInstanceId).toBeNull();
  });

  it("where both are refused it changes every few seconds, not with each refusal", () => {
    const { opened, last, pass } = world();
    for (let round = 0; round < 100; round++) {
      last().refuse();
      pass(100);
    }
    expect(opened.length).toBeGreaterThan(2);
    expect(opened.length).toBeLessThan(6);
  });
});
