import { PenstockError } from "@penstock/core";
import type { Database } from "@penstock/postgres";
import { METRICS, observeMetric, type Telemetry } from "@penstock/runtime";
import type { FilterSeal } from "../seal/filter-seal.ts";
import { prune } from "./prune.ts";
import { NO_COUNTS, readCounts } from "./read-counts.ts";
import { resealFilters } from "./reseal-filters.ts";

export interface UpkeepOptions {
  readonly db: Database;
  readonly filters: FilterSeal;
  readonly nodeVanishedMs: number;
  readonly isLeader: () => boolean;
  /** Where the numbers of the control plane are told; default nowhere. */
  readonly meter?: Telemetry["meter"];
}

const INTERVAL_MS = 10_000;
/** Every how many turns what is old is removed: twice an hour; every turn while there is more than one turn removes. */
const TURNS_PER_PRUNE = 180;

/**
 * What the leading replica does on the side: counts mappings and nodes for metrics, removes what is old, seals filters with the newest key. Only the leader
 * reports counts, so that a sum over replicas is right. A turn that fails is left out; the next one comes.
 *
 * @returns ends it
 */
export function startUpkeep(options: UpkeepOptions): () => void {
  const { db, filters, nodeVanishedMs, isLeader, meter } = options;
  let counts = NO_COUNTS;
  let turnsToPrune = 0;
  let isBusy = false;
  async function turn(): Promise<void> {
    if (isBusy) return;
    isBusy = true;
    try {
      counts = isLeader() ? await readCounts(db.sql, nodeVanishedMs) : NO_COUNTS;
      if (!isLeader() || turnsToPrune-- > 0) return;
      const hasMore = await prune(db);
      const resealed = await resealFilters(db, filters);
      turnsToPrune = hasMore || resealed > 0 ? 0 : TURNS_PER_PRUNE;
    } catch (error) {
      // The pool has logged that the database is away.
      if (!(error instanceof PenstockError)) throw error;
    } finally {
      isBusy = false;
    }
  }
  const timer = setInterval(() => void turn(), INTERVAL_MS);
  timer.unref();
  const ends = meter
    ? [
        observeMetric(meter, METRICS.leader, () => (isLeader() ? 1 : 0)),
        observeMetric(meter, METRICS.mappings, () =>
          counts.mappings.map(({ state, count }) => [count, { state }] as const),
        ),
        observeMetric(meter, METRICS.nodes, () =>
          counts.nodes.map(({ kind, state, count }) => [count, { kind, state }] as const),
        ),
      ]
    : [];
  return () => {
    clearInterval(timer);
    for (const end of ends) end();
  };
}
