import { PenstockError } from "@penstock/core";
import type { Connection } from "@platformatic/kafka";
import { describe, expect, it } from "vitest";
import type { Cluster, TopicMetadata } from "../../cluster/cluster.ts";
import { GroupTopics } from "./group-topics.ts";

const TOPIC_ID = "00000000-0000-0000-0000-000000000001";

/** Topics of four partitions, and refusals. */
class AnsweringCluster implements Cluster {
  readonly refusals = new Map<string, PenstockError>();
  readonly looks: number[] = [];
  cached = 0;
  invalidations = 0;
  onLook: () => void = () => {};

  async lookAt(topics: readonly string[]): Promise<Map<string, TopicMetadata | PenstockError>> {
    this.looks.push(topics.length);
    this.onLook();
    return new Map(
      topics.map((topic) => [topic, this.refusals.get(topic) ?? fourPartitions(topic)]),
    );
  }

  async metadata(topic: string): Promise<TopicMetadata> {
    this.cached++;
    return fourPartitions(topic);
  }

  invalidate(): void {
    this.invalidations++;
  }

  async coordinator(): Promise<number> {
    return 1;
  }

  invalidateCoordinator(): void {}

  async brokerConnection(): Promise<Connection> {
    return {} as Connection;
  }

  closeOwner(): void {}

  apiVersion(): number {
    return -1;
  }
}

function fourPartitions(topic: string): TopicMetadata {
  const row = { leader: 1, leaderEpoch: 1, inSync: [1] };
  const partitions = [0, 1, 2, 3].map((partition) => ({ ...row, partition }));
  return { topic, topicId: TOPIC_ID, partitions, brokers: [] };
}

function world() {
  const cluster = new AnsweringCluster();
  const refused: (PenstockError | null)[] = [];
  const topics = new GroupTopics(cluster, "ours", {
    clock: { nowMs: () => 0, wallMs: () => 0 },
    read: () => {},
    refused: (problem) => refused.push(problem),
  });
  return { cluster, topics, refused };
}

const hidden = () => new PenstockError("kafkaAuthorization", "hidden");
const away = () => new PenstockError("kafkaUnavailable", "away");

describe("GroupTopics of a leader", () => {
  it("asks for many topics in few requests, and has none of them cached", async () => {
    const { cluster, topics } = world();
    const foreign = Array.from({ length: 2_400 }, (_, index) => `foreign-${index}`);
    const found = await topics.read(["ours", ...foreign], () => true);
    expect(found?.size).toBe(2_401);
    expect(cluster.looks).toEqual([1_000, 1_000, 401]);
    expect(cluster.cached).toBe(0);
    await topics.read(["ours"], () => true);
    expect(cluster.invalidations, "of ours only, when something new is seen").toBe(1);
  });

  it("I-18: doesn't make the group wait for rights to its own topic, and says that they lack", async () => {
    const { cluster, topics, refused } = world();
    cluster.refusals.set("ours", hidden());
    cluster.refusals.set("theirs", hidden());
    const found = await topics.read(["ours", "theirs", "seen"], () => true);
    expect([...(found ?? [])]).toEqual([
      ["theirs", null],
      ["seen", { topicId: TOPIC_ID, partitionCount: 4 }],
    ]);
    expect(refused.map((problem) => problem?.code)).toEqual(["kafkaAuthorization"]);
    cluster.refusals.clear();
    await topics.read(["ours"], () => true);
    expect(refused.at(-1)).toBeNull();
  });

  it("looks again while the brokers don't tell, as long as it is wanted", async () => {
    const { cluster, topics } = world();
    cluster.refusals.set("ours", away());
    cluster.onLook = () => cluster.looks.length === 2 && cluster.refusals.clear();
    expect((await topics.read(["ours"], () => true))?.get("ours")).toBeDefined();
    cluster.refusals.set("ours", away());
    expect(await topics.read(["ours"], () => cluster.looks.length < 4)).toBeNull();
  });
});
