import { PenstockError } from "../errors/penstock-error.ts";
import { FILTER_PATTERN_LENGTH_MAX, FILTERS_MAX } from "../filter/compile-filter.ts";
import { checkRange, readDurationMs, type SecondsAndNanos } from "./field-values.ts";
import { readFunctionReference } from "./function-reference.ts";
import type { MutableSettings } from "./mapping.ts";
import { BATCH_SIZE_MAX, BATCHING_WINDOW_MAX_MS, MINIMUM_POLLERS_MAX } from "./mapping-limits.ts";
import type { Violations } from "./violations.ts";

/** The changeable fields as a caller may send them; absent = not sent. Names of fields: those of the proto. */
export interface MutableInput {
  readonly functionName?: string;
  readonly batchSize?: number;
  readonly maximumBatchingWindow?: SecondsAndNanos;
  /** The patterns of `filter_criteria`. */
  readonly filterPatterns?: readonly string[];
  /** Sent with `provisioned_poller_config`; null = that message was empty. */
  readonly minimumPollers?: number | null;
  readonly enabled?: boolean;
}

/** Compiles filter patterns, throwing `invalidArgument` on a bad one: `compileFilter`. */
export type PatternCheck = (patterns: readonly string[]) => unknown;

/**
 * Reads one field each: the value to store, or null/undefined after a violation. The keys are the update mask's paths, so that create and
 * update can't disagree.
 */
export type MutableReaders = {
  readonly [K in ReadKey]: (
    input: MutableInput,
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
    checkPatterns(filterPatterns, violations, check);
    return filterPatterns;
  },
  provisionedPollers({ minimumPollers }, violations) {
    if (minimumPollers === undefined) return undefined;
    if (minimumPollers === null) return null;
    const field = "provisioned_poller_config.minimum_pollers";
    checkRange(violations, field, minimumPollers, 1, MINIMUM_POLLERS_MAX);
    return { minimumPollers, maximumPollers: null, pollerGroupName: null };
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
