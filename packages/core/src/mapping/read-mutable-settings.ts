import { PenstockError } from "../errors/penstock-error.ts";
import { FILTER_PATTERN_LENGTH_MAX, FILTERS_MAX } from "../filter/compile-filter.ts";
import { checkRange, readDurationMs } from "./field-values.ts";
import { readFunctionReference } from "./function-reference.ts";
import type { MutableSettings } from "./mapping.ts";
import type { MappingInput, PatternCheck } from "./mapping-input.ts";
import { BATCH_SIZE_MAX, BATCHING_WINDOW_MAX_MS, MINIMUM_POLLERS_MAX } from "./mapping-limits.ts";
import type { Violations } from "./violations.ts";

/**
 * Reads one field each: the value to store, or null/undefined after a violation. The keys are the update mask's paths, so that create and
 * update can't disagree.
 */
export type MutableReaders = {
  readonly [K in ReadKey]: (
    input: MappingInput,
    violations: Violations,
    check: PatternCheck,
  ) => MutableSettings[K] | undefined;
};

type ReadKey =
  | "functionRef"
  | "batchSize"
  | "batchingWindowMs"
  | "filterPatterns"
  | "provisionedPollers"
  | "isEnabled";

/** Called only for fields that were sent. `undefined` = not sent, or refused with a violation. */
export const MUTABLE_READERS: MutableReaders = {
  functionRef({ functionName }, violations) {
    if (functionName === undefined) return undefined;
    return readFunctionReference(violations, "function_name", functionName) ?? undefined;
  },
  batchSize({ batchSize }, violations) {
    if (batchSize === undefined) return undefined;
    checkRange(violations, "batch_size", batchSize, 1, BATCH_SIZE_MAX);
    return batchSize;
  },
  batchingWindowMs({ maximumBatchingWindow: window }, violations) {
    if (window === undefined) return undefined;
    return readDurationMs(violations, "maximum_batching_window", window, 0, BATCHING_WINDOW_MAX_MS);
  },
  filterPatterns({ filterPatterns }, violations, check) {
    if (filterPatterns === undefined) return undefined;
    const patterns = filterPatterns.map((pattern) => pattern ?? "null");
    checkPatterns(patterns, violations, check);
    return patterns;
  },
  provisionedPollers({ provisionedPollers }, violations) {
    if (provisionedPollers === undefined) return undefined;
    if (Object.keys(provisionedPollers).length === 0) return null;
    const field = "provisioned_poller_config.minimum_pollers";
    const { minimumPollers = null, maximumPollers = null, pollerGroupName } = provisionedPollers;
    if (minimumPollers !== null) {
      checkRange(violations, field, minimumPollers, 1, MINIMUM_POLLERS_MAX);
    }
    return { minimumPollers, maximumPollers, pollerGroupName: pollerGroupName || null };
  },
  isEnabled: ({ enabled }) => enabled,
};

/** AWS's words for a pattern that EventBridge would refuse. */
export const INVALID_FILTER_PATTERN = "Invalid filter pattern definition.";

function checkPatterns(
  patterns: readonly string[],
  violations: Violations,
  check: PatternCheck,
): void {
  if (patterns.length > FILTERS_MAX) {
    violations.add(
      "filter_criteria.filters",
      `filter_criteria.filters must have at most ${FILTERS_MAX} entries, not ${patterns.length}.`,
    );
    return;
  }
  for (const [index, pattern] of patterns.entries()) {
    const field = `filter_criteria.filters[${index}].pattern`;
    if (pattern.length > FILTER_PATTERN_LENGTH_MAX) {
      violations.add(field, `${field} must have at most ${FILTER_PATTERN_LENGTH_MAX} characters.`);
      continue;
    }
    try {
      check([pattern]);
    } catch (error) {
      if (!(error instanceof PenstockError)) throw error;
      violations.add(field, INVALID_FILTER_PATTERN);
    }
  }
}
