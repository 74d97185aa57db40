import type { Violations } from "../constraints/violations.ts";
import type { MappingSettings } from "../mapping.ts";
import { MAXIMUM_POLLERS_DEFAULT, MINIMUM_POLLERS_DEFAULT } from "../mapping-limits.ts";
import { DESTINATION, destinationTopic } from "../settings/failure-destination.ts";
import type { MappingRules } from "./mapping-input.ts";
import { unsupported } from "./unsupported.ts";

/** The rules that settings keep among each other, whichever of them a request names. */
export function checkRelations(
  settings: MappingSettings,
  rules: MappingRules,
  violations: Violations,
): void {
  checkPollers(settings, violations);
  checkDestination(settings, violations);
  if (rules.isStrict) checkProvisionedOnly(settings, violations);
}

/** AWS: MaximumPollers is at least MinimumPollers, defaults included. */
function checkPollers({ provisionedPollers }: MappingSettings, violations: Violations): void {
  const minimum = provisionedPollers?.minimumPollers ?? MINIMUM_POLLERS_DEFAULT;
  const maximum = provisionedPollers?.maximumPollers ?? MAXIMUM_POLLERS_DEFAULT;
  if (maximum >= minimum) return;
  const field = "provisioned_poller_config.maximum_pollers";
  violations.add(
    field,
    `${field} must be at least minimum_pollers (${minimum}), not ${maximum}.`,
    "The 'provisionedPollerConfig.maximumPollers' parameter must be greater than or equal to 'provisionedPollerConfig.minimumPollers'.",
  );
}

/** AWS: a destination topic differs from every source topic, or the mapping would feed itself. */
function checkDestination(
  { onFailureDestination, topic }: MappingSettings,
  violations: Violations,
): void {
  if (onFailureDestination === null || topic === "") return;
  if (destinationTopic(onFailureDestination) !== topic) return;
  const { field, member } = DESTINATION;
  violations.add(
    field,
    `${field} must not be the source topic ${topic}.`,
    `The '${member}' parameter must not be the source topic.`,
  );
}

/** AWS, "Retry configurations", "On-failure destinations", "Event source mapping logging": what it allows in provisioned mode only. */
const PROVISIONED_ONLY: readonly {
  readonly field: string;
  readonly name: string;
  isSet(settings: MappingSettings): boolean;
}[] = [
  {
    field: "maximum_retry_attempts",
    name: "MaximumRetryAttempts",
    isSet: ({ maximumRetryAttempts }) => maximumRetryAttempts !== null,
  },
  {
    field: "maximum_record_age",
    name: "MaximumRecordAgeInSeconds",
    isSet: ({ maximumRecordAgeSeconds }) => maximumRecordAgeSeconds !== null,
  },
  {
    field: "bisect_batch_on_function_error",
    name: "BisectBatchOnFunctionError",
    isSet: ({ bisectBatchOnFunctionError }) => bisectBatchOnFunctionError !== null,
  },
  {
    field: DESTINATION.field,
    name: "DestinationConfig",
    isSet: ({ onFailureDestination }) =>
      onFailureDestination !== null && destinationTopic(onFailureDestination) !== null,
  },
  {
    field: "logging_config.system_log_level",
    name: "LoggingConfig",
    isSet: ({ systemLogLevel }) => systemLogLevel !== null,
  },
];

function checkProvisionedOnly(settings: MappingSettings, violations: Violations): void {
  if (settings.provisionedPollers !== null) return;
  for (const { field, name, isSet } of PROVISIONED_ONLY) {
    if (!isSet(settings)) continue;
    violations.add(
      field,
      `${field} needs provisioned_poller_config in strict mode (PENSTOCK_AWS_STRICT).`,
      unsupported(name),
    );
  }
}
