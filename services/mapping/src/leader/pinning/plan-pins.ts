import type { StartingPosition } from "@penstock/core";
import type { OffsetQuery } from "../clusters/cluster-admin.ts";

/** What decides where a mapping starts. */
export interface StartWish {
  readonly startingPosition: StartingPosition;
  readonly startingPositionTimestampMs: number | null;
  readonly createdAtMs: number;
}

/** So soon after its creation the end of the log is what "latest" meant. */
export const LATEST_PROMPT_MAX_MS = 2_000;

/** Answers of the brokers, by partition; offset -1: no record at or after the timestamp. */
export interface OffsetAnswers {
  readonly earliest?: ReadonlyMap<number, { readonly offset: bigint }>;
  readonly latest?: ReadonlyMap<number, { readonly offset: bigint }>;
  readonly atTime?: ReadonlyMap<number, { readonly offset: bigint }>;
}

/**
 * The time that has to be looked up, null for none: the wished one, or, when LATEST is late, the creation. What came after the creation must not
 * be missed, however long the brokers were away.
 */
export function timeToLookUp(wish: StartWish, nowMs: number): OffsetQuery | null {
  if (wish.startingPosition === "AT_TIMESTAMP") {
    return { timestampMs: wish.startingPositionTimestampMs ?? wish.createdAtMs };
  }
  const isLate = nowMs - wish.createdAtMs > LATEST_PROMPT_MAX_MS;
  return wish.startingPosition === "LATEST" && isLate ? { timestampMs: wish.createdAtMs } : null;
}

/**
 * The start of each partition as a number that the brokers gave. Null when they left out a partition: ask again.
 *
 * TRIM_HORIZON: the log start. LATEST: the log end, when late at most the first offset at or after the creation. AT_TIMESTAMP: the first
 * offset at or after it, the log end when there is none.
 */
export function planPins(
  partitions: readonly number[],
  wish: StartWish,
  answers: OffsetAnswers,
): Map<number, bigint> | null {
  const pins = new Map<number, bigint>();
  for (const partition of partitions) {
    const start = startOf(partition, wish, answers);
    if (start === undefined || start < 0n) return null;
    pins.set(partition, start);
  }
  return pins;
}

function startOf(partition: number, wish: StartWish, answers: OffsetAnswers): bigint | undefined {
  if (wish.startingPosition === "TRIM_HORIZON") return answers.earliest?.get(partition)?.offset;
  const end = answers.latest?.get(partition)?.offset;
  if (answers.atTime === undefined) return end;
  const atTime = answers.atTime.get(partition)?.offset;
  if (end === undefined || atTime === undefined) return undefined;
  return atTime < 0n || atTime > end ? end : atTime;
}
