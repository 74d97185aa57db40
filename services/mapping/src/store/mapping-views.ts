import type { Database } from "@penstock/postgres";
import type { FilterError, FilterSeal } from "../seal/filter-seal.ts";
import { findMappings } from "./find-mapping.ts";
import {
  type GapRow,
  type PartitionRow,
  readGaps,
  readPartitions,
  readWaits,
} from "./read-progress.ts";
import { openFilter } from "./rows/stored-filter.ts";
import type { StoredMapping } from "./rows/stored-mapping.ts";

/** A mapping with what is known of its run. */
export interface MappingView {
  readonly mapping: StoredMapping;
  readonly partitions: readonly PartitionRow[];
  readonly gaps: readonly GapRow[];
  readonly waitingForNodes: readonly string[];
  /** Why the filter criteria, which are under a KMS key, can't be shown; null = they are in `mapping.filterPatterns`. */
  readonly filterError: FilterError | null;
}

/** Views by id, each as of one moment, in four statements however many there are. Missing = gone. */
export async function readMappingViews(
  db: Database,
  filters: FilterSeal,
  ids: readonly string[],
): Promise<Map<string, MappingView>> {
  const [mappings, partitions, gaps, waits] = await db.transaction(
    (sql) =>
      Promise.all([
        findMappings(sql, ids),
        readPartitions(sql, ids),
        readGaps(sql, ids),
        readWaits(sql, ids),
      ]),
    { isolation: "repeatable read", isReadOnly: true },
  );
  const partitionsOf = Map.groupBy(partitions, (row) => row.mapping_id);
  const gapsOf = Map.groupBy(gaps, (row) => row.mapping_id);
  const waitsOf = Map.groupBy(waits, (row) => row.mapping_id);
  return new Map(
    mappings.map((mapping) => [
      mapping.id,
      {
        ...openFilter(filters, mapping),
        partitions: partitionsOf.get(mapping.id) ?? [],
        gaps: gapsOf.get(mapping.id) ?? [],
        waitingForNodes: (waitsOf.get(mapping.id) ?? []).map((row) => row.node_id),
      },
    ]),
  );
}

/** A mapping just as it was stored, filter criteria under a KMS key hidden. */
export function hiddenViewOf(mapping: StoredMapping): MappingView {
  return { mapping, filterError: null, ...NOTHING_KNOWN };
}

/** A mapping just as it was stored, filter criteria shown: nothing has run yet, or it is not asked for. */
export function viewOf(filters: FilterSeal, mapping: StoredMapping): MappingView {
  return { ...openFilter(filters, mapping), ...NOTHING_KNOWN };
}

const NOTHING_KNOWN = { partitions: [], gaps: [], waitingForNodes: [] };
