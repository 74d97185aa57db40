import { PenstockError } from "@penstock/core";
import type { Cluster } from "../cluster/cluster.ts";
import { kafkaRefusal } from "../cluster/kafka-error.ts";
import { ask } from "../cluster/versions/ask.ts";
import { LIST_OFFSETS } from "../cluster/versions/cluster-apis.ts";

const EARLIEST = -2n;
const LATEST = -1n;
const CONSUMER = -1;
const READ_UNCOMMITTED = 0;

/** First offset of a partition and its high watermark, asked of its leader. Rejects with a PenstockError. */
export async function readLogRange(
  cluster: Cluster,
  node: number,
  topic: string,
  partition: number,
): Promise<{ readonly logStart: bigint; readonly logEnd: bigint }> {
  const connection = await cluster.brokerConnection(node, "control");
  const read = async (timestamp: bigint): Promise<bigint> => {
    const row = { partitionIndex: partition, currentLeaderEpoch: -1, timestamp };
    const topics = [{ name: topic, partitions: [row] }];
    const response = await ask(
      cluster,
      connection,
      LIST_OFFSETS,
      CONSUMER,
      READ_UNCOMMITTED,
      topics,
    );
    const found = response.topics[0]?.partitions[0];
    if (!found) throw new PenstockError("kafkaCorrupt", "A Kafka broker left out what was asked.");
    if (found.errorCode !== 0) throw kafkaRefusal(found.errorCode, `topic "${topic}"`);
    return found.offset;
  };
  const [logStart, logEnd] = await Promise.all([read(EARLIEST), read(LATEST)]);
  return { logStart, logEnd };
}
