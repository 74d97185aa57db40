import { describe, expect, it } from "vitest";
import type { SourceReference } from "../../source/open-sources.ts";
import type { ClusterAdmin } from "./cluster-admin.ts";
import { ClusterAdmins } from "./cluster-admins.ts";

const at = (...bootstrapServers: string[]): SourceReference => ({
  bootstrapServers,
  sourceAccess: [],
});
const silent = { debug() {}, info() {}, warn() {}, error() {} };

function admins(answerMs = 1_000) {
  const state = { nowMs: 0, opened: [] as string[], closed: 0 };
  const clusters = new ClusterAdmins({
    open: ({ bootstrapServers }) => {
      state.opened.push(bootstrapServers.join());
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
    await clusters.ask(at("b:1", "a:1"), async () => {});
    await clusters.ask(at("a:1", "b:1"), async () => {});
    expect(state.opened).toHaveLength(1);
    clusters.closeIdle();
    expect(state.closed).toBe(0);
    state.nowMs = 60_001;
    clusters.closeIdle();
    expect(state.closed).toBe(1);
  });

  it("never asks with the secrets of another mapping of the same brokers", async () => {
    const { state, clusters } = admins();
    const secret = (uri: string) => ({ type: "BASIC_AUTH" as const, uri });
    for (const sourceAccess of [[], [secret("file:a")], [secret("file:b")], [secret("file:a")]])
      await clusters.ask({ ...at("a:1"), sourceAccess }, async () => {});
    expect(state.opened).toHaveLength(3);
  });

  it("I-16: questions to one cluster wait for each other beyond four, never for another cluster's", async () => {
    const { clusters } = admins();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let started = 0;
    const slow = Array.from({ length: 6 }, () =>
      clusters.ask(at("slow:1"), async () => {
        started++;
        await held;
      }),
    );
    await clusters.ask(at("quick:1"), async () => {});
    expect(started).toBe(4);
    release();
    await Promise.all(slow);
    expect(started).toBe(6);
  });

  it("F06: gives up a question that is not answered", async () => {
    const { clusters } = admins(5);
    const silence = clusters.ask(at("b:1"), () => new Promise<never>(() => {}));
    await expect(silence).rejects.toMatchObject({ code: "kafkaUnavailable" });
    await clusters.ask(at("b:1"), async () => {});
  });
});
