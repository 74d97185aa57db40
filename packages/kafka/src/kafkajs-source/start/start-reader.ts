/**
 * Finds out where a newly assigned partition stands: the group's committed offset and the ends of its log. kafkajs's consumer would resolve a start of its own
 * (and a crash before the first commit would resolve a newer one, K-12); here the brokers are asked and the event poller decides.
 *
 * Committed offsets are read only after every commit on its way is answered. What fails is tried again with a backoff until it succeeds or nobody wants it.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type Assignment, type PartitionStart, PenstockError } from "@penstock/core";
import { KAFKA, kafkaRefusal } from "../../cluster/kafka-error.ts";
import { backoffMs } from "../../connection/backoff.ts";
import type { KafkajsBrokers } from "../client/kafkajs-client.ts";
import type { CoordinatorRequests } from "../group/group-requests.ts";
import { fetchOffsets } from "./group-offsets.ts";
import { readEnds } from "./log-ends.ts";

export interface StartReaderOptions {
  readonly client: KafkajsBrokers;
  readonly requests: CoordinatorRequests;
  readonly groupId: string;
  readonly commitsIdle: () => Promise<void>;
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
    const { isWanted, problem, client } = this.#options;
    let rest = assignments.filter(isWanted);
    for (let failures = 1; rest.length > 0; failures++) {
      let why: PenstockError | null = null;
      try {
        why = await this.#attempt(rest);
      } catch (error) {
        why = client.problemOf(error, `topic "${client.topic}"`);
      }
      rest = rest.filter(isWanted);
      if (rest.length === 0) break;
      if (why && failures >= FAILURES_UNTIL_PROBLEM) problem(why);
      await delay(backoffMs(failures, RETRY_BASE_MS, RETRY_LIMIT_MS));
      rest = rest.filter(isWanted);
    }
    problem(null);
  }

  /** Why some could not be found; those that were are not wanted any more. */
  async #attempt(assignments: readonly Assignment[]): Promise<PenstockError | null> {
    const { client, requests, groupId, commitsIdle, isWanted, found } = this.#options;
    await commitsIdle();
    const partitions = assignments.map(({ partition }) => partition);
    const { errorCode, offsets } = await fetchOffsets(client, requests, groupId, partitions);
    if (errorCode !== KAFKA.none) return this.#refusal(errorCode);
    const ends = await readEnds(client, partitions);
    let why: PenstockError | null = null;
    for (const assignment of assignments) {
      const row = offsets.get(assignment.partition);
      const range = ends.get(assignment.partition);
      const code = row?.errorCode ?? KAFKA.unknownServerError;
      if (!row || code !== KAFKA.none) why ??= this.#refusal(code);
      else if (!range || range instanceof PenstockError)
        why ??= range ?? this.#refusal(KAFKA.unknownServerError);
      else if (isWanted(assignment)) {
        const { offset, metadata } = row;
        found(assignment, { committed: offset < 0n ? null : { offset, metadata }, ...range });
      }
    }
    return why;
  }

  #refusal(code: number): PenstockError {
    this.#options.requests.elsewhere();
    return kafkaRefusal(code, `consumer group "${this.#options.groupId}"`);
  }
}
