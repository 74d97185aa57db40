/**
 * Finds out where a newly assigned partition stands: the group's committed offset, and the ends of its log.
 *
 * Partitions that come together are asked for together, and told one by one as their answers come; what fails is tried again
 * with a backoff until it succeeds or the assignment is no longer wanted. Committed offsets are read only after every commit
 * on its way is answered: one of a lost assignment of the same partition could otherwise land behind our back.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type Assignment, type PartitionStart, PenstockError } from "@penstock/core";
import { type Cluster, mayBeSameTopic } from "../cluster/cluster.ts";
import { KAFKA, kafkaRefusal } from "../cluster/kafka-error.ts";
import { readLogEnds } from "../cluster/log-ends.ts";
import { backoffMs } from "../connection/backoff.ts";
import type { Membership } from "../group/membership.ts";
import { type FetchedOffset, sendOffsetFetch } from "../group/offset-wire.ts";

export interface StartReaderOptions {
  readonly cluster: Cluster;
  readonly groupId: string;
  readonly topic: string;
  readonly membership: Membership;
  readonly commitsIdle: () => Promise<void>;
  /** Whether anybody still waits for the start of an assignment. */
  readonly isWanted: (assignment: Assignment) => boolean;
  readonly found: (assignment: Assignment, start: PartitionStart) => void;
  readonly problem: (problem: PenstockError | null) => void;
}

const RETRY_BASE_MS = 100;
const RETRY_LIMIT_MS = 2_000;
const FAILURES_UNTIL_PROBLEM = 2;

export class StartReader {
  readonly #options: StartReaderOptions;
  #collected: Assignment[] = [];

  constructor(options: StartReaderOptions) {
    this.#options = options;
  }

  add(assignment: Assignment): void {
    this.#collected.push(assignment);
    if (this.#collected.length > 1) return;
    queueMicrotask(() => {
      const together = this.#collected;
      this.#collected = [];
      void this.#run(together);
    });
  }

  async #run(assignments: readonly Assignment[]): Promise<void> {
    const { isWanted, problem } = this.#options;
    let rest = assignments.filter(isWanted);
    for (let failures = 1; rest.length > 0; failures++) {
      const failed = await this.#attempt(rest);
      rest = [...failed.keys()].filter(isWanted);
      const [why] = failed.values();
      if (rest.length === 0) break;
      if (why && failures >= FAILURES_UNTIL_PROBLEM) problem(why);
      await delay(backoffMs(failures, RETRY_BASE_MS, RETRY_LIMIT_MS));
      rest = rest.filter(isWanted);
    }
    problem(null);
  }

  /** What failed, and why. */
  async #attempt(assignments: readonly Assignment[]): Promise<Map<Assignment, PenstockError>> {
    const { cluster, topic, isWanted, found } = this.#options;
    const failed = new Map<Assignment, PenstockError>();
    try {
      const { topicId } = await cluster.metadata(topic);
      const byPartition = new Map<number, Assignment>();
      for (const assignment of assignments) {
        if (mayBeSameTopic(assignment.topicId, topicId))
          byPartition.set(assignment.partition, assignment);
        else {
          // Deleted and made again: one of the two is old news, and the next answers tell which.
          cluster.invalidate(topic);
          failed.set(assignment, kafkaRefusal(KAFKA.unknownTopicId, `topic "${topic}"`));
        }
      }
      if (byPartition.size === 0) return failed;
      const partitions = [...byPartition.keys()];
      const committed = await this.#committed(topicId, partitions);
      await readLogEnds(cluster, topic, partitions, (partition, ends) => {
        const assignment = byPartition.get(partition);
        const offset = committed.get(partition);
        if (!assignment) return;
        byPartition.delete(partition);
        const code = offset?.errorCode ?? KAFKA.unknownServerError;
        if (ends instanceof PenstockError) failed.set(assignment, ends);
        else if (!offset || code !== KAFKA.none)
          failed.set(assignment, kafkaRefusal(code, `committed offset of ${topic}/${partition}`));
        else if (isWanted(assignment)) found(assignment, { committed: startOf(offset), ...ends });
      });
    } catch (error) {
      if (!(error instanceof PenstockError)) throw error;
      for (const assignment of assignments) if (isWanted(assignment)) failed.set(assignment, error);
    }
    return failed;
  }

  async #committed(
    topicId: string,
    partitions: readonly number[],
  ): Promise<Map<number, FetchedOffset>> {
    const { cluster, groupId, topic, membership, commitsIdle } = this.#options;
    await commitsIdle();
    const subject = `consumer group "${groupId}"`;
    const { incarnation, memberId } = membership;
    try {
      const nodeId = await cluster.coordinator(groupId);
      const connection = await cluster.brokerConnection(nodeId, "control");
      const to = { groupId, memberId, epoch: membership.memberEpoch, topic, topicId };
      const { errorCode, offsets } = await sendOffsetFetch(cluster, connection, to, partitions);
      if (errorCode === KAFKA.none) return offsets;
      if (errorCode === KAFKA.unknownMemberId) membership.memberUnknown(incarnation);
      throw kafkaRefusal(errorCode, subject);
    } catch (error) {
      cluster.invalidateCoordinator(groupId);
      throw error;
    }
  }
}

function startOf({ offset, metadata }: FetchedOffset): PartitionStart["committed"] {
  return offset < 0n ? null : { offset, metadata };
}
