/**
 * What AWS's API has and Penstock refuses, because running without it would lose or garble records, or because it belongs to another event source. What is
 * merely not in effect yet is stored instead (`settings-difference.ts`).
 */

import {
  awsConstraint,
  checkEnum,
  enumConstraint,
  isOneOf,
  mapConstraints,
  memberConstraints,
} from "../constraints/constraints.ts";
import { show, type Violations } from "../constraints/violations.ts";
import type { CreateMappingInput, MappingInput } from "./mapping-input.ts";

const OTHER_MEMBERS_MAX = 10;
const NAME = /^[A-Za-z]{1,64}$/;
const CONSUMPTION_MODES = ["Stream", "Queue"] as const;
const RESPONSE_TYPES = ["ReportBatchItemFailures"] as const;
const ENDPOINT_TYPES = ["KAFKA_BOOTSTRAP_SERVERS"] as const;
const KAFKA = {
  field: "self_managed_kafka_event_source_config",
  member: "selfManagedKafkaEventSourceConfig",
};

interface Refusal {
  /** What an update mask may call it; without any it is looked at in every update. */
  readonly paths: readonly string[];
  check(input: MappingInput, violations: Violations): void;
}

/** Refused at create and update alike. */
export const REFUSALS: readonly Refusal[] = [
  { paths: [], check: checkOtherMembers },
  {
    paths: ["destination_config", "destination_config.on_success"],
    check({ hasOnSuccess }, violations) {
      if (hasOnSuccess !== true) return;
      violations.add(
        "destination_config.on_success",
        "destination_config.on_success is not supported: Kafka mappings have on_failure alone.",
        unsupported("DestinationConfig"),
      );
    },
  },
  { paths: ["function_response_types"], check: checkResponseTypes },
  {
    paths: [KAFKA.field, `${KAFKA.field}.schema_registry_config`],
    check({ kafkaConfig }, violations) {
      if (kafkaConfig?.schemaRegistry !== "set") return;
      violations.add(
        `${KAFKA.field}.schema_registry_config`,
        `${KAFKA.field}.schema_registry_config is not supported yet: without a registry the function would get other bytes than it expects.`,
        `Unsupported '${KAFKA.member}.schemaRegistryConfig' parameter`,
      );
    },
  },
];

/** AWS's words for members of other event sources. */
export function unsupported(name: string): string {
  return `Unsupported ${name} parameter for given event source mapping type.`;
}

function checkOtherMembers({ otherMembers = [] }: MappingInput, violations: Violations): void {
  for (const name of otherMembers.slice(0, OTHER_MEMBERS_MAX)) {
    const shown = NAME.test(name) ? name : show(name);
    violations.add(
      shown,
      `${shown} is not supported: it belongs to other event sources than self-managed Kafka.`,
      unsupported(shown),
    );
  }
}

function checkResponseTypes(
  { functionResponseTypes: types = [] }: MappingInput,
  violations: Violations,
): void {
  const field = "function_response_types";
  const unknown = types.find((type) => !isOneOf(RESPONSE_TYPES, type));
  if (unknown !== undefined) {
    violations.add(
      field,
      `${field} must be empty, not ${show(unknown)}.`,
      awsConstraint(
        "functionResponseTypes",
        `[${unknown}]`,
        memberConstraints([enumConstraint(RESPONSE_TYPES)]),
      ),
    );
  } else if (types.length > 0) {
    violations.add(
      field,
      `${field} is not supported yet: without partial batch answers records that failed would be lost. Leave it empty.`,
      unsupported("FunctionResponseTypes"),
    );
  }
}

/** Refused at create alone. */
export function checkUnsupportedSource(input: CreateMappingInput, violations: Violations): void {
  if (input.eventSourceArn !== undefined) {
    violations.add(
      "event_source_arn",
      "event_source_arn is not supported: Amazon MSK is reached as self-managed Kafka, by self_managed_event_source.",
      "Unsupported EventSourceArn parameter: use SelfManagedEventSource.",
    );
  }
  const unknown = input.unknownEndpointTypes?.[0];
  if (unknown !== undefined) {
    violations.add(
      "self_managed_event_source.endpoints",
      `self_managed_event_source.endpoints must have ${ENDPOINT_TYPES[0]} alone, not ${show(unknown)}.`,
      awsConstraint(
        "selfManagedEventSource.endpoints",
        `{${unknown}=…}`,
        mapConstraints("keys", [enumConstraint(ENDPOINT_TYPES)]),
      ),
    );
  }
  const mode = input.kafkaConfig?.consumptionMode;
  const at = {
    field: `${KAFKA.field}.consumption_mode`,
    member: `${KAFKA.member}.consumptionMode`,
  };
  if (mode === undefined || !checkEnum(violations, at, CONSUMPTION_MODES, mode)) return;
  if (mode === "Queue") {
    violations.add(
      at.field,
      `${at.field} Queue is not supported yet: records would be ordered by partition, not shared. Send Stream, or nothing.`,
      "Unsupported 'ConsumptionMode' parameter for given event source mapping type",
    );
  }
}

/** Create-only settings of the Kafka block: AWS refuses them in an update even when they are unchanged. */
export function checkUnchangeable({ kafkaConfig }: MappingInput, violations: Violations): void {
  const rows = [
    ["consumer_group_id", "consumerGroupId", kafkaConfig?.consumerGroupId],
    ["consumption_mode", "consumptionMode", kafkaConfig?.consumptionMode],
  ] as const;
  for (const [name, member, value] of rows) {
    if (value === undefined) continue;
    const field = `${KAFKA.field}.${name}`;
    violations.add(
      field,
      `${field} can only be set when the mapping is created: leave it out.`,
      `Unsupported '${KAFKA.member}.${member}' parameter`,
    );
  }
}
