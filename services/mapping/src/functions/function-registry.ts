import type { FunctionSpec } from "@penstock/core";
import type { Subscription } from "@penstock/postgres";

/** Functions with their header values in the clear, for those who call them. Never for the API. */
export interface FunctionRegistry {
  /** Everything there is, and the number of the last change that it contains. */
  snapshot(): Promise<{ readonly change: bigint; readonly functions: readonly FunctionSpec[] }>;
  /** What changed after `change`, and the number of the last change that this contains. */
  changesSince(change: bigint): Promise<FunctionChanges>;
  /**
   * Calls back after each change by any replica, and after each time at which one may have been missed: then ask
   * `changesSince`.
   */
  onChange(handler: () => void): Subscription;
}

export interface FunctionChanges {
  readonly change: bigint;
  readonly changed: readonly FunctionSpec[];
  readonly removed: readonly string[];
}
