/** ListOffsets (2), sent to the leaders: where a partition's log begins and ends, and offsets by time. */
import { PenstockError } from "@penstock/core";
import type { Cluster } from "./cluster.ts";
import { KAFKA, kafkaRefusal } from "./kafka-error.ts";
import { ask } from "./versions/ask.ts";
import { LIST_OFFSETS } from "./versions/cluster-apis.ts";

export const EARLIEST = -2n;
export const LATEST = -1n;

export interface LogEnds {
  readonly logStart: bigint;
  /** Last stable offset. */
  readonly logEnd: bigint;
  readonly highWatermark: bigint;
}

export interface ListedOffset {
  /** -1: no such offset (a timestamp after the last record). */
  readonly offset: bigint;
  readonly timestampMs: number;
}

export type Isolation = "readUncommitted" | "readCommitted";

/**
 * One offset for each partition, told as each leader answers, so that a leader that doesn't answer holds up only its own partitions.
 * `timestamp`: milliseconds, or `EARLIEST` or `LATEST`. Resolves when all were told; rejects only when metadata can't be had.
 */
export async function listOffsets(
  cluster: Cluster,
  topic: string,
  partitions: readonly number[],
  timestamp: bigint,
  isolation: Isolation,
  told: (partition: number, result: ListedOffset | PenstockError) => void,
): Promise<void> {
  const metadata = await cluster.metadata(topic);
  const leaders = new Map<number, number[]>();
  for (const partition of partitions) {
    const leader = metadata.partitions.find((row) => row.partition === partition)?.leader ?? -1;
    const led = leaders.get(leader);
    if (led) led.push(partition);
    else leaders.set(leader, [partition]);
  }
  const tellAll = (rows: readonly number[], problem: PenstockError) => {
    cluster.invalidate(topic);
    for (const partition of rows) told(partition, problem);
  };
  await Promise.all(
    [...leaders].map(async ([leader, led]) => {
      try {
        if (leader < 0) throw kafkaRefusal(KAFKA.leaderNotAvailable, `topic "${topic}"`);
        const connection = await cluster.brokerConnection(leader, "control");
        const response = await ask(
          cluster,
          connection,
          LIST_OFFSETS,
          -1,
          isolation === "readCommitted" ? 1 : 0,
          [
            {
              name: topic,
              partitions: led.map((partitionIndex) => ({
                partitionIndex,
                currentLeaderEpoch: -1,
                timestamp,
              })),
            },
          ],
        );
        const rows = response.topics[0]?.partitions ?? [];
        for (const partition of led) {
          const row = rows.find(({ partitionIndex }) => partitionIndex === partition);
          const code = row?.errorCode ?? KAFKA.unknownServerError;
          if (row && code === KAFKA.none)
            told(partition, { offset: row.offset, timestampMs: Number(row.timestamp) });
          else tellAll([partition], kafkaRefusal(code, `topic "${topic}" partition ${partition}`));
        }
      } catch (error) {
        if (!(error instanceof PenstockError)) throw error;
        tellAll(led, error);
      }
    }),
  );
}

/** Log start, last stable offset and high watermark of each partition, told as they become known. */
export async function readLogEnds(
  cluster: Cluster,
  topic: string,
  partitions: readonly number[],
  told: (partition: number, result: LogEnds | PenstockError) => void,
): Promise<void> {
  const parts = new Map<number, (ListedOffset | PenstockError)[]>();
  const collect = (index: number) => (partition: number, result: ListedOffset | PenstockError) => {
    const row = parts.get(partition) ?? [];
    parts.set(partition, row);
    row[index] = result;
    const [start, stable, high] = row;
    if (!start || !stable || !high) return;
    told(partition, together(start, stable, high));
  };
  await Promise.all([
    listOffsets(cluster, topic, partitions, EARLIEST, "readUncommitted", collect(0)),
    listOffsets(cluster, topic, partitions, LATEST, "readCommitted", collect(1)),
    listOffsets(cluster, topic, partitions, LATEST, "readUncommitted", collect(2)),
  ]);
}

/** Three requests see three moments, and the log moves on in between: the order of the ends is restored. */
function together(
  start: ListedOffset | PenstockError,
  stable: ListedOffset | PenstockError,
  high: ListedOffset | PenstockError,
): LogEnds | PenstockError {
  if (start instanceof PenstockError) return start;
  if (stable instanceof PenstockError) return stable;
  if (high instanceof PenstockError) return high;
  const logStart = start.offset;
  const logEnd = stable.offset < logStart ? logStart : stable.offset;
  const highWatermark = high.offset < logEnd ? logEnd : high.offset;
  return { logStart, logEnd, highWatermark };
}
