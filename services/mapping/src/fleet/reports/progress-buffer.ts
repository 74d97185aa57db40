import type { fleet } from "@penstock/proto";
import {
  batchOf,
  emptyBatch,
  mergeBatch,
  type ReportBatch,
  type SenderReports,
} from "./report-batch.ts";

export interface ProgressLimits {
  readonly partitionsMax: number;
  readonly gapsMax: number;
  /** Problems, results and events. */
  readonly notesMax: number;
}

/**
 * Reports on their way to the tables, each sender's apart: one can't replace what another one says. The newest of each partition, problem and
 * result wins, so that an outage of the database costs no memory however long it lasts; each gap is kept, up to a limit. Pure bookkeeping; one for
 * each replica.
 */
export class ProgressBuffer<Sender extends object> {
  readonly #limits: ProgressLimits;
  readonly #reports = new Map<Sender, SenderReports>();
  readonly #total = { partitionsMax: 0, gapsMax: 0, notesMax: 0 };

  constructor(limits: ProgressLimits) {
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    return this.#reports.size === 0;
  }

  /**
   * Takes a report, and answers who must report anew: when there is no room, whoever takes the most of it, and what that one had said is
   * dropped; the sender itself keeps what it said before. One report alone always has room.
   */
  add(sender: Sender, nodeId: string, progress: fleet.Progress): Sender[] {
    const refused: Sender[] = [];
    for (;;) {
      const limit = this.#exceeded(progress);
      if (limit === undefined || this.#total[limit] === 0) break;
      const largest = this.#largest(limit);
      const size = (one: Sender) => sizeOf(this.#reports.get(one)?.batch, limit);
      const own = size(sender) + sizeOfProgress(progress, limit);
      if (largest === undefined || largest === sender || size(largest) <= own) {
        return [...refused, sender];
      }
      this.drop(largest);
      refused.push(largest);
    }
    this.#merge(sender, { nodeId, batch: batchOf(nodeId, progress), sequence: progress.sequence });
    return refused;
  }

  /** Everything so far of the senders that are ready; what comes meanwhile is collected anew. */
  take(isReady: (sender: Sender) => boolean): Map<Sender, SenderReports> {
    const taken = new Map([...this.#reports].filter(([sender]) => isReady(sender)));
    for (const sender of taken.keys()) this.drop(sender);
    return taken;
  }

  /** Puts back what could not be stored, under what was reported meanwhile. */
  restore(taken: ReadonlyMap<Sender, SenderReports>): void {
    for (const [sender, reports] of taken) {
      const newer = this.#reports.get(sender);
      this.drop(sender);
      this.#merge(sender, reports);
      if (newer !== undefined) this.#merge(sender, newer);
    }
  }

  drop(sender: Sender): void {
    this.#count(this.#reports.get(sender)?.batch, -1);
    this.#reports.delete(sender);
  }

  #merge(sender: Sender, { nodeId, batch, sequence }: SenderReports): void {
    const known = this.#reports.get(sender)?.batch;
    const merged = known ?? emptyBatch();
    this.#count(known, -1);
    mergeBatch(merged, batch);
    this.#count(merged, 1);
    this.#reports.set(sender, { nodeId, batch: merged, sequence });
  }

  #count(batch: ReportBatch | undefined, sign: 1 | -1): void {
    for (const limit of LIMITS) this.#total[limit] += sign * sizeOf(batch, limit);
  }

  #exceeded(progress: fleet.Progress): keyof ProgressLimits | undefined {
    return LIMITS.find(
      (limit) => this.#total[limit] + sizeOfProgress(progress, limit) > this.#limits[limit],
    );
  }

  #largest(limit: keyof ProgressLimits): Sender | undefined {
    let largest: Sender | undefined;
    let most = 0;
    for (const [sender, { batch }] of this.#reports) {
      const size = sizeOf(batch, limit);
      if (size > most) [largest, most] = [sender, size];
    }
    return largest;
  }
}

const LIMITS = ["partitionsMax", "gapsMax", "notesMax"] as const;

function sizeOf(batch: ReportBatch | undefined, limit: keyof ProgressLimits): number {
  if (batch === undefined) return 0;
  if (limit === "partitionsMax") return batch.partitions.size;
  if (limit === "gapsMax") return batch.gaps.size;
  return batch.problems.size + batch.results.size + batch.events.size;
}

function sizeOfProgress(progress: fleet.Progress, limit: keyof ProgressLimits): number {
  if (limit === "partitionsMax") return progress.partitions.length;
  if (limit === "gapsMax") return progress.gaps.length;
  return progress.problems.length + progress.results.length + progress.events.length;
}
