import type { Assignment } from "@penstock/core";
import { HeadDoubt } from "../../decode/head-doubt.ts";

/**
 * What is known of one partition that is being fetched. `generation` counts the jumps of `position`: an answer is used only when both are still what they were
 * when it was asked for.
 */
export class LaneFetch {
  readonly key: Assignment;
  position: bigint;
  generation = 0;
  isPaused = false;
  isRemoved = false;
  /** Waits for `set`: its position is out of range, or its records can't be decoded. */
  isHalted = false;
  /** Monotonic; nothing is asked for before. */
  retryAtMs = 0;
  failures = 0;
  /** Reads in a row that ended in damaged bytes. */
  damagedReads = 0;
  readonly doubt = new HeadDoubt();
  /** Leader; -1 = to be looked up. */
  node = -1;
  /** Last stable offset of the last answer; -1 = unknown. */
  logEnd = -1n;
  /** Answers in a row that prove that there is no record between `position` and `logEnd`. */
  emptyProofs = 0;
  /** Since when answers bring records of others but not of this one, although there should be some. */
  starvedSinceMs: number | null = null;
  /** Bytes that are asked for. */
  bytesMax: number;

  constructor(key: Assignment, position: bigint, bytesMax: number) {
    this.key = key;
    this.position = position;
    this.bytesMax = bytesMax;
  }

  /** Moves to `position`; answers that are on their way are void. */
  jump(position: bigint): void {
    this.advance(position);
    this.generation++;
  }

  /** Everything up to `position` was taken. */
  advance(position: bigint): void {
    this.position = position;
    this.emptyProofs = 0;
    this.starvedSinceMs = null;
  }

  isWanted(nowMs: number): boolean {
    return !this.isPaused && !this.isHalted && !this.isRemoved && this.retryAtMs <= nowMs;
  }
}

/** What was asked for of a lane. */
export interface Asked {
  readonly lane: LaneFetch;
  readonly generation: number;
  readonly position: bigint;
  readonly logEnd: bigint;
}

export function isCurrent({ lane, generation, position }: Asked): boolean {
  return !lane.isRemoved && lane.generation === generation && lane.position === position;
}
