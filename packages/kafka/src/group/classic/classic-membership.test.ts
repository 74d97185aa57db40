import type { Connection } from "@platformatic/kafka";
import { expect, it } from "vitest";
import type { Cluster } from "../../cluster/cluster.ts";
import { ClassicMembership } from "./classic-membership.ts";

/** Whose coordinator is found when a test says so; counts the requests that are made for it. */
class LateCluster implements Cluster {
  #found: (nodeId: number) => void = () => {};
  readonly #coordinator = new Promise<number>((resolve) => {
    this.#found = resolve;
  });
  requests = 0;

  find(): void {
    this.#found(1);
  }

  metadata(): Promise<never> {
    return new Promise(() => {});
  }

  lookAt(): Promise<never> {
    return this.metadata();
  }

  invalidate(): void {}

  coordinator(): Promise<number> {
    return this.#coordinator;
  }

  invalidateCoordinator(): void {}

  async brokerConnection(): Promise<Connection> {
    return {} as Connection;
  }

  closeOwner(): void {}

  apiVersion(): number {
    this.requests++;
    return -1;
  }
}

const silent = () => {};

function membership(cluster: Cluster): ClassicMembership {
  return new ClassicMembership(
    {
      ...{ cluster, groupId: "g", topic: "t", drainLimitMs: 1_000, sessionTimeoutMs: 9_000 },
      ...{ groupInstanceId: null, rack: null, protocolRefused: silent },
      clock: { nowMs: () => 0, wallMs: () => 0 },
      log: { debug: silent, info: silent, warn: silent, error: silent },
    },
    { assigned: silent, revoking: silent, lost: silent, changed: silent, problem: silent },
  );
}

it.each([true, false])(
  "I-18: a member that ended before its join was sent sends none, so that nobody waits for it (ended: %s)",
  async (isEnded) => {
    const cluster = new LateCluster();
    const member = membership(cluster);
    member.start();
    if (isEnded) member.abort();
    cluster.find();
    await new Promise((resolve) => setImmediate(resolve));
    expect(cluster.requests > 0).toBe(!isEnded);
    member.abort();
  },
);
