import type { Assignment } from "@penstock/core";
import { FetchProgress } from "../../fetch/fetch-progress.ts";

/** What is known of one partition that is being fetched. */
export class LaneFetch extends FetchProgress {
  readonly key: Assignment;
  /** Leader; -1 = to be looked up. */
  node = -1;
  /** Bytes that are asked for. */
  bytesMax: number;

  constructor(key: Assignment, position: bigint, bytesMax: number) {
    super(position);
    this.key = key;
    this.bytesMax = bytesMax;
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
