import type { MutableSettings } from "./mapping.ts";
import { BATCH_SIZE_DEFAULT } from "./mapping-limits.ts";

/** What a setting is when it is not sent, or named in an update mask without a value. The function has no default. */
export const MUTABLE_DEFAULTS: Omit<MutableSettings, "functionRef"> = {
  batchSize: BATCH_SIZE_DEFAULT,
  batchingWindowMs: null,
  filterPatterns: [],
  provisionedPollers: null,
  isEnabled: true,
  sourceAccess: [],
  kmsKeyArn: null,
  onFailureDestination: null,
  maximumRetryAttempts: null,
  maximumRecordAgeSeconds: null,
  bisectBatchOnFunctionError: null,
  metrics: [],
  systemLogLevel: null,
};
