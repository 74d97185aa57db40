import { describe, expect, it } from "vitest";
import type { ClusterAdmin } from "./cluster-admin.ts";
import { ClusterAdmins } from "./cluster-admins.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };

function admins(answerMs = 1_000) {
  const state = { nowMs: 0, opened: [] as string[], closed: 0 };
  const clusters = new ClusterAdmins({
    open: (servers) => {
      state.opened.push(servers.join());
      return {
        close: async () => {
          state.closed++;
        },
      } as unknown as ClusterAdmin;
    },
    answerMs,
    nowMs: () => state.nowMs,
    log: silent,
  });
  return { state, clusters };
}

describe("ClusterAdmins", () => {
  it("shares one client between questions to the same brokers in any order, and closes it when idle", async () => {
    const { state, clusters } = admins();
    await clusters.ask(["b:1", "a:1"], async () => {});
    await clusters.ask(["a:1", "b:1"], async () => {});
    expect(state.opened).toHaveLength(1);
    clusters.closeIdle();
    expect(state.closed).toBe(0);
    state.nowMs = 60_001;
    clusters.closeIdle();
    expect(state.closed).toBe(1);
  });

  it("I-16: questions to one cluster wait for each other beyond four, never for another cluster's", async () => {
    const { clusters } = admins();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let started = 0;
    const slow = Array.from({ length: 6 }, () =>
      clusters.ask(["slow:1"], async () => {
        started++;
        await held;
      }),
    );
    await clusters.ask(["quick:1"], async () => {});
    expect(started).toBe(4);
    release();
    await Promise.all(slow);
    expect(started).toBe(6);
  });

  it("F06: gives up a question that is not answered", async () => {
    const { clusters } = admins(5);
    const silence = clusters.ask(["b:1"], () => new Promise<never>(() => {}));
    await expect(silence).rejects.toMatchObject({ code: "kafkaUnavailable" });
    await clusters.ask(["b:1"], async () => {});
  });
});
