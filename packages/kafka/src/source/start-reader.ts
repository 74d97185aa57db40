/**
 * Finds out where a newly assigned partition stands: the group's committed offset, and the ends of its log.
 *
 * Partitions that come together are asked for together, and told one by one as their answers come; what fails is tried again
 * with a backoff until it succeeds or the assignment is no longer wanted. Committed offsets are read only after every commit
 * on its way is answered: one of a lost assignment of the same partition could otherwise land behind our back.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Assignment, PartitionStart, PenstockError } from "@penstock/core";
import { backoffMs } from "../connection/backoff.ts";
import type { Membership } from "../group/membership.ts";

/** Who asks for starts. */
export interface StartHost {
  readonly membership: Membership;
  /** Resolves when no commit that was begun before is on its way. */
  readonly commitsIdle: () => Promise<void>;
  /** Whether anybody still waits for the start of an assignment. */
  readonly isWanted: (assignment: Assignment) => boolean;
  readonly found: (assignment: Assignment, start: PartitionStart) => void;
}

/** One attempt: tells what it finds, resolves with what failed and why. Never rejects. */
export type ReadStarts = (
  assignments: readonly Assignment[],
  host: StartHost,
) => Promise<ReadonlyMap<Assignment, PenstockError>>;

export interface StartReaderOptions extends StartHost {
  readonly readStarts: ReadStarts;
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
    const { readStarts, isWanted, problem } = this.#options;
    let rest = assignments.filter(isWanted);
    for (let failures = 1; rest.length > 0; failures++) {
      const failed = await readStarts(rest, this.#options);
      rest = [...failed.keys()].filter(isWanted);
      const [why] = failed.values();
      if (rest.length === 0) break;
      if (why && failures >= FAILURES_UNTIL_PROBLEM) problem(why);
      await delay(backoffMs(failures, RETRY_BASE_MS, RETRY_LIMIT_MS));
      rest = rest.filter(isWanted);
    }
    problem(null);
  }
}
