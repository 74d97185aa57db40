import type { MutableSettings } from "@penstock/core";
import type { FilterError, FilterSeal } from "../../seal/filter-seal.ts";
import type { StoredMapping } from "./stored-mapping.ts";

/**
 * Filter criteria in the table: plain in `filter_patterns`, or under the user's key in `filter_sealed`, or none; never both.
 */
export interface FilterColumns {
  readonly filter_patterns: readonly string[] | null;
  readonly filter_sealed: Uint8Array | null;
}

/** @throws PenstockError `invalidArgument` when the key's ARN stands for no local key. */
export function filterColumns(
  filters: FilterSeal,
  mappingId: string,
  { filterPatterns, kmsKeyArn }: Pick<MutableSettings, "filterPatterns" | "kmsKeyArn">,
): FilterColumns {
  if (filterPatterns.length === 0) return { filter_patterns: null, filter_sealed: null };
  if (kmsKeyArn === null) return { filter_patterns: filterPatterns, filter_sealed: null };
  return {
    filter_patterns: null,
    filter_sealed: filters.seal(mappingId, kmsKeyArn, filterPatterns),
  };
}

export interface OpenedMapping {
  /** With its filter patterns in the clear, if they could be opened. */
  readonly mapping: StoredMapping;
  /** Why they could not. */
  readonly filterError: FilterError | null;
}

/** For those who may see the filter criteria. */
export function openFilter(filters: FilterSeal, stored: StoredMapping): OpenedMapping {
  const { id, kmsKeyArn, filterSealed } = stored;
  if (kmsKeyArn === null || filterSealed === null) return { mapping: stored, filterError: null };
  const opened = filters.open(id, kmsKeyArn, filterSealed);
  if (opened.error !== null) return { mapping: stored, filterError: opened.error };
  return { mapping: { ...stored, filterPatterns: opened.patterns }, filterError: null };
}
