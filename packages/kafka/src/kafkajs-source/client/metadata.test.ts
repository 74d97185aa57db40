import { describe, expect, it } from "vitest";
import { NO_TOPIC_ID } from "../../cluster/cluster.ts";
import { encodeMetadata, encodeOlderMetadata, type TestTopic } from "../testing/encode-metadata.ts";
import { FakeWire } from "../testing/fake-wire.ts";
import { KafkajsClusterClass, silentLogger } from "./kafkajs-internals.ts";
import { askOnlyFor, readMetadata } from "./metadata.ts";

const TOPIC_ID = "0f3d2c1b-0000-4000-8000-00000000000a";
const ORDERS: TestTopic = { errorCode: 0, topic: "orders", topicId: TOPIC_ID, leaders: [1, 2] };
const GONE: TestTopic = { errorCode: 3, topic: "gone", topicId: NO_TOPIC_ID, leaders: [] };

/** A cluster of kafkajs whose connections are `wire`. */
function clusterOver(wire: FakeWire) {
  const cluster = new KafkajsClusterClass({
    ...{ logger: silentLogger(), brokers: ["b:9092"], clientId: "c", ssl: null, sasl: null },
    ...{ socketFactory: () => null, connectionTimeout: 1_000, authenticationTimeout: 1_000 },
    ...{ reauthenticationThreshold: 1_000, requestTimeout: 1_000, enforceRequestTimeout: true },
    ...{ metadataMaxAge: 1_000, allowAutoTopicCreation: false, maxInFlightRequests: null },
    ...{ isolationLevel: 1, retry: { initialRetryTime: 1, retries: 1 } },
  });
  cluster.brokerPool.createBroker = ({ versions }) => {
    wire.believed.push(versions);
    return wire.broker;
  };
  askOnlyFor("orders", cluster);
  return cluster;
}

const VERSIONS = [0, 1, 2, 4, 6, 9, 11, 12, 13];
const payloadOf = (offered: number, topics: readonly TestTopic[]) =>
  offered >= 11 ? encodeMetadata(topics) : encodeOlderMetadata(Math.min(offered, 6), topics);

describe("metadata", () => {
  it.each(VERSIONS)(
    "I-16: a partition without a leader has the leader -1 and keeps nobody else out (brokers with version %i)",
    async (offered) => {
      const leaderless = { ...ORDERS, leaders: [1, -1] };
      const cluster = clusterOver(new FakeWire(offered, () => payloadOf(offered, [leaderless])));
      await cluster.connect();
      await cluster.refreshMetadata();
      const [row] = cluster.brokerPool.metadata?.topics ?? [];
      expect(row).toEqual({
        ...{ errorCode: 0, topic: "orders" },
        topicId: offered >= 11 ? TOPIC_ID : NO_TOPIC_ID,
        leaders: new Map([
          [0, 1],
          [1, -1],
        ]),
      });
    },
  );

  it.each(VERSIONS)(
    "F36: a deleted topic of another member is a row of its own, and is asked for once (brokers with version %i)",
    async (offered) => {
      let asked = [GONE, ORDERS];
      const wire = new FakeWire(offered, () => payloadOf(offered, asked));
      const { topics } = await readMetadata(wire.broker, ["gone", "orders"]);
      expect(topics.map(({ errorCode, leaders }) => [errorCode, leaders.size])).toEqual([
        [3, 0],
        [0, 2],
      ]);
      asked = [ORDERS];
      const cluster = clusterOver(wire);
      await cluster.connect();
      await cluster.refreshMetadata();
      await cluster.refreshMetadata();
      expect(wire.requests.map((bytes) => bytes.includes("gone"))).toEqual([true, false, false]);
      expect(wire.requests.every((bytes) => bytes.includes("orders"))).toBe(true);
    },
  );

  it("F02: every broker is asked for its own versions, as they differ while brokers are rolled", async () => {
    const elsewhere = encodeMetadata([ORDERS], "another");
    const wire = new FakeWire(12, () => elsewhere);
    const cluster = clusterOver(wire);
    await cluster.connect();
    await cluster.refreshMetadata();
    expect(wire.believed).toEqual([null, null]);
  });

  it("takes an answer that is cut off for damaged", async () => {
    const whole = encodeMetadata([ORDERS]);
    const wire = new FakeWire(12, () => whole.subarray(0, whole.length - 20));
    const reading = readMetadata(wire.broker, ["orders"]);
    await expect(reading).rejects.toMatchObject({ code: "kafkaCorrupt" });
  });
});
