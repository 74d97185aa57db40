/** ListOffsets, sent to the leaders: where the log of each partition begins and ends. */
import type { PenstockError } from "@penstock/core";
import { KAFKA, kafkaRefusal } from "../../cluster/kafka-error.ts";
import type { LogEnds } from "../../cluster/log-ends.ts";
import type { KafkajsBrokers } from "../client/kafkajs-client.ts";

interface ListedPartition {
  readonly partition: number;
  readonly errorCode: number;
  /** Version 1 and later. */
  readonly offset?: string;
  /** Version 0. */
  readonly offsets?: readonly string[];
}

const CONSUMER = -1;
const EARLIEST = -2;
const LATEST = -1;
const READ_UNCOMMITTED = 0;
const READ_COMMITTED = 1;

/** For each partition its ends, or why they can't be had: a leader that doesn't answer holds up only its own. Rejects when metadata can't be had. */
export async function readEnds(
  client: KafkajsBrokers,
  partitions: readonly number[],
): Promise<Map<number, LogEnds | PenstockError>> {
  const { leaders } = await client.view();
  const byLeader = Map.groupBy(partitions, (partition) => leaders.get(partition) ?? -1);
  const ends = new Map<number, LogEnds | PenstockError>();
  await Promise.all(
    [...byLeader].map(async ([leader, led]) => {
      try {
        for (const [partition, row] of await readOfLeader(client, leader, led))
          ends.set(partition, row);
      } catch (error) {
        client.doubt();
        const problem = client.problemOf(error, `topic "${client.topic}"`);
        for (const partition of led) ends.set(partition, problem);
      }
    }),
  );
  return ends;
}

async function readOfLeader(
  client: KafkajsBrokers,
  leader: number,
  partitions: readonly number[],
): Promise<Map<number, LogEnds | PenstockError>> {
  const { topic } = client;
  if (leader < 0) throw kafkaRefusal(KAFKA.leaderNotAvailable, `topic "${topic}"`);
  const broker = await client.broker(leader);
  const list = async (timestamp: number, isolationLevel: number) => {
    const rows = partitions.map((partition) => ({ partition, timestamp }));
    const { responses } = await client.send<{
      readonly responses: readonly { readonly partitions: readonly ListedPartition[] }[];
    }>(broker, "ListOffsets", {
      replicaId: CONSUMER,
      isolationLevel,
      topics: [{ topic, partitions: rows }],
    });
    const found = responses.flatMap((row) => row.partitions);
    return new Map(found.map((row) => [row.partition, row]));
  };
  // In the order of the ends, so that a log that moves on meanwhile doesn't turn them round.
  const starts = await list(EARLIEST, READ_UNCOMMITTED);
  const stables = await list(LATEST, READ_COMMITTED);
  const highs = await list(LATEST, READ_UNCOMMITTED);
  const result = new Map<number, LogEnds | PenstockError>();
  for (const partition of partitions) {
    const rows = [starts, stables, highs].map((listed) => listed.get(partition));
    const offsets: bigint[] = [];
    let problem: PenstockError | null = null;
    for (const row of rows) {
      const code = row?.errorCode ?? KAFKA.unknownServerError;
      const offset = row?.offset ?? row?.offsets?.at(0);
      if (code === KAFKA.none && offset !== undefined) offsets.push(BigInt(offset));
      else problem ??= kafkaRefusal(code, `topic "${topic}" partition ${partition}`);
    }
    if (problem) client.doubt();
    const [logStart = 0n, stable = 0n, high = 0n] = offsets;
    const logEnd = stable < logStart ? logStart : stable;
    const highWatermark = high < logEnd ? logEnd : high;
    result.set(partition, problem ?? { logStart, logEnd, highWatermark });
  }
  return result;
}
