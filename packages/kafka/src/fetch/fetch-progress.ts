import { HeadDoubt } from "../decode/head-doubt.ts";

/**
 * How far one partition is read, whichever driver fetches it.
 *
 * `position` is the next offset wanted and `generation` counts its jumps. Every request remembers both; an answer is used only when
 * both are still the same, so that a long poll that was overtaken (a seek, a second fetch of the same partition, a removal) can
 * neither repeat records nor lose any.
 */
export class FetchProgress {
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
  /** Last stable offset of the last answer; -1 = unknown. */
  logEnd = -1n;
  /** Answers in a row that prove that there is no record between `position` and `logEnd`. */
  emptyProofs = 0;
  /** Since when answers bring records of others but not of this one, although there should be some. */
  starvedSinceMs: number | null = null;

  constructor(position: bigint) {
    this.position = position;
  }

  /** Moves to `position`; answers that are on their way are void. */
  jump(position: bigint): void {
    this.advance(position);
    this.generation++;
  }

  /** Records up to `position` were taken. */
  advance(position: bigint): void {
    this.position = position;
    this.emptyProofs = 0;
    this.starvedSinceMs = null;
  }

  isWanted(nowMs: number): boolean {
    return !this.isPaused && !this.isHalted && !this.isRemoved && this.retryAtMs <= nowMs;
  }
}
