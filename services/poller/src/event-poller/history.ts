import type { Assignment } from "@penstock/core";
import type { Batch } from "../lane/batch.ts";

/**
 * The audit history of a poller: what was adopted, called, settled, committed and given up, each with its assignment epoch. Off
 * unless a file is configured; the checkers of the test suite read it.
 */
export interface History {
  adopted(memberId: string, assignment: Assignment, offset: bigint): void;
  called(memberId: string, batch: Batch, attempt: number): void;
  answered(memberId: string, batch: Batch, outcome: string): void;
  settled(memberId: string, assignment: Assignment, from: bigint, to: bigint, how: string): void;
  committing(memberId: string, assignment: Assignment, offset: bigint): void;
  committed(memberId: string, assignment: Assignment, offset: bigint, result: string): void;
  ended(memberId: string, assignment: Assignment, how: string): void;
}

/** Writes nothing. */
export const NO_HISTORY: History = {
  adopted() {},
  called() {},
  answered() {},
  settled() {},
  committing() {},
  committed() {},
  ended() {},
};
