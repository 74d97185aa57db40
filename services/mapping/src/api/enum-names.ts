import type {
  MappingMetric,
  MappingState,
  SourceAccessType,
  StartingPosition,
  SystemLogLevel,
} from "@penstock/core";
import { mapping } from "@penstock/proto";

/**
 * The enums of the proto in AWS's names, both ways. A number that the API does not know becomes its digits, which the model then refuses
 * with the value named.
 */

const STATES: Record<MappingState, mapping.MappingState> = {
  Creating: mapping.MappingState.CREATING,
  Enabling: mapping.MappingState.ENABLING,
  Enabled: mapping.MappingState.ENABLED,
  Disabling: mapping.MappingState.DISABLING,
  Disabled: mapping.MappingState.DISABLED,
  Updating: mapping.MappingState.UPDATING,
  Deleting: mapping.MappingState.DELETING,
};

const POSITIONS: Record<StartingPosition, mapping.StartingPosition> = {
  TRIM_HORIZON: mapping.StartingPosition.TRIM_HORIZON,
  LATEST: mapping.StartingPosition.LATEST,
  AT_TIMESTAMP: mapping.StartingPosition.AT_TIMESTAMP,
};

const METRICS: Record<MappingMetric, mapping.MappingMetric> = {
  EventCount: mapping.MappingMetric.EVENT_COUNT,
  ErrorCount: mapping.MappingMetric.ERROR_COUNT,
  KafkaMetrics: mapping.MappingMetric.KAFKA_METRICS,
};

const LOG_LEVELS: Record<SystemLogLevel, mapping.SystemLogLevel> = {
  DEBUG: mapping.SystemLogLevel.DEBUG,
  INFO: mapping.SystemLogLevel.INFO,
  WARN: mapping.SystemLogLevel.WARN,
};

const MODES = {
  Stream: mapping.ConsumptionMode.STREAM,
  Queue: mapping.ConsumptionMode.QUEUE,
};

const RESPONSE_TYPES = {
  ReportBatchItemFailures: mapping.FunctionResponseType.REPORT_BATCH_ITEM_FAILURES,
};

export const stateNumber = (name: MappingState) => STATES[name];
export const positionNumber = (name: StartingPosition) => POSITIONS[name];
export const metricNumber = (name: MappingMetric) => METRICS[name];
export const logLevelNumber = (name: SystemLogLevel) => LOG_LEVELS[name];
/** AWS's names are those of the proto's values. */
export const accessNumber = (name: SourceAccessType) => mapping.SourceAccessType[name];

export const positionName = namesOf(POSITIONS);
export const metricName = namesOf(METRICS);
export const logLevelName = namesOf(LOG_LEVELS);
export const modeName = namesOf(MODES);
export const responseTypeName = namesOf(RESPONSE_TYPES);
export const accessName = namesOf(withoutUnspecified(mapping.SourceAccessType));

function namesOf(table: Readonly<Record<string, number>>): (number: number) => string {
  const names = new Map(Object.entries(table).map(([name, number]) => [number, name]));
  return (number) => names.get(number) ?? String(number);
}

function withoutUnspecified(values: Readonly<Record<string, number>>) {
  return Object.fromEntries(Object.entries(values).filter(([, number]) => number !== 0));
}
