/** Every version that @penstock/local offers, alone, and as a cluster where it says what clusters of its kind do. */
import { KAFKA_VERSIONS, startKafkaCluster } from "@penstock/local";
import { waitUntil } from "@penstock/testkit";
import { Kafka, logLevel } from "kafkajs";
import { describe, it } from "vitest";
import { startsAndKeeps } from "../contract/local/starts-and-keeps.ts";
import { selectedRows } from "./rows/broker-row.ts";

const LIMIT_MS = 60_000;
/** Those that this run has rows of. */
const VERSIONS = KAFKA_VERSIONS.filter((version) => selectedRows(version).length > 0);

describe("a local Kafka of any version", () => {
  it.each(VERSIONS)(
    "%s coordinates groups when it is ready, and comes back after kill -9 with what it had",
    startsAndKeeps,
  );

  it.each(VERSIONS)("%s moves the leaders of a killed broker", async (version) => {
    const cluster = await startKafkaCluster({ version });
    try {
      const brokers = cluster.bootstrapServers.split(",");
      const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
      await admin.connect();
      const topic = { topic: "moved", numPartitions: 3, replicationFactor: 3 };
      await admin.createTopics({ topics: [topic], waitForLeaders: true });
      const leaders = async (): Promise<number[]> => {
        const { topics } = await admin.fetchTopicMetadata({ topics: ["moved"] });
        return topics.flatMap(({ partitions }) => partitions.map(({ leader }) => leader));
      };
      // An old broker that has not heard of the topic yet refuses to talk of it.
      await waitUntil("each leads one", async () => new Set(await leaders()).size === 3, LIMIT_MS);
      await cluster.broker(3).kill();
      await waitUntil(
        "leaders have moved",
        async () => (await leaders()).every((leader) => leader === 1 || leader === 2),
        LIMIT_MS,
      );
      await cluster.broker(3).restart();
      await admin.disconnect();
    } finally {
      await cluster.stop();
    }
  });
});
