/**
 * The JSON of CreateEventSourceMapping and UpdateEventSourceMapping as the model's input. Translation only: what was sent, under the model's names.
 * Every judgement is the model's (packages/core/src/mapping). Members: AWS's API model of Lambda, 2015-03-31.
 */
import type {
  CreateMappingInput,
  KafkaConfigInput,
  MappingInput,
  ProvisionedPollersInput,
  SecondsAndNanos,
} from "@penstock/core";
import type { JsonMembers } from "./json-members.ts";

const BOOTSTRAP_SERVERS = "KAFKA_BOOTSTRAP_SERVERS";

/** Members of both requests that belong to other event sources. */
const OTHER_MEMBERS = [
  "ParallelizationFactor",
  "TumblingWindowInSeconds",
  "ScalingConfig",
  "DocumentDBEventSourceConfig",
  "AmazonManagedKafkaEventSourceConfig",
];
/** The same of create alone. */
const OTHER_CREATE_MEMBERS = [...OTHER_MEMBERS, "Queues"];

/** `T` without the members that are undefined: absent is what the model calls not sent. */
type Sent<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

export function createInput(body: JsonMembers): CreateMappingInput {
  const endpoints = body.structure("SelfManagedEventSource")?.structure("Endpoints");
  const unknownEndpointTypes = endpoints?.names.filter((name) => name !== BOOTSTRAP_SERVERS) ?? [];
  return {
    ...commonInput(body, OTHER_CREATE_MEMBERS),
    ...sent({
      bootstrapServers: endpoints?.strings(BOOTSTRAP_SERVERS),
      unknownEndpointTypes: unknownEndpointTypes.length === 0 ? undefined : unknownEndpointTypes,
      topics: body.strings("Topics"),
      startingPosition: body.string("StartingPosition"),
      startingPositionTimestamp: body.timestamp("StartingPositionTimestamp"),
      tags: body.stringMap("Tags"),
      eventSourceArn: body.string("EventSourceArn"),
    }),
  };
}

/** Create-only members are passed over here, as AWS does: its UpdateEventSourceMappingRequest has none of them. */
export function updateInput(body: JsonMembers): MappingInput {
  return commonInput(body, OTHER_MEMBERS);
}

function commonInput(body: JsonMembers, foreign: readonly string[]): MappingInput {
  const destinations = body.structure("DestinationConfig");
  const logging = body.structure("LoggingConfig");
  const otherMembers = foreign.filter((name) => body.has(name));
  return sent({
    functionName: body.string("FunctionName"),
    batchSize: body.integer("BatchSize"),
    maximumBatchingWindow: seconds(body.integer("MaximumBatchingWindowInSeconds")),
    filterPatterns: filterPatterns(body.structure("FilterCriteria")),
    enabled: body.boolean("Enabled"),
    provisionedPollers: provisionedPollers(body.structure("ProvisionedPollerConfig")),
    sourceAccess: body.structures("SourceAccessConfigurations")?.map((entry) => ({
      type: entry.string("Type") ?? "",
      ...sent({ uri: entry.string("URI") }),
    })),
    kmsKeyArn: body.string("KMSKeyArn"),
    onFailureDestination: destinations?.structure("OnFailure")?.string("Destination"),
    hasOnSuccess: destinations?.has("OnSuccess") === true ? true : undefined,
    maximumRetryAttempts: body.integer("MaximumRetryAttempts"),
    maximumRecordAge: seconds(body.integer("MaximumRecordAgeInSeconds")),
    bisectBatchOnFunctionError: body.boolean("BisectBatchOnFunctionError"),
    functionResponseTypes: body.strings("FunctionResponseTypes"),
    metrics: listOf(body.structure("MetricsConfig"), (config) => config.strings("Metrics")),
    systemLogLevel: logging && (logging.string("SystemLogLevel") ?? null),
    kafkaConfig: kafkaConfig(body.structure("SelfManagedKafkaEventSourceConfig")),
    otherMembers: otherMembers.length === 0 ? undefined : otherMembers,
  });
}

/** The list in a structure; the structure without it says "none". */
function listOf<T>(
  structure: JsonMembers | undefined,
  read: (structure: JsonMembers) => readonly T[] | undefined,
): readonly T[] | undefined {
  return structure && (read(structure) ?? []);
}

function filterPatterns(criteria: JsonMembers | undefined) {
  const filters = listOf(criteria, (sentCriteria) => sentCriteria.structures("Filters"));
  return filters?.map((filter) => filter.string("Pattern") ?? null);
}

function provisionedPollers(config: JsonMembers | undefined): ProvisionedPollersInput | undefined {
  return (
    config &&
    sent({
      minimumPollers: config.integer("MinimumPollers"),
      maximumPollers: config.integer("MaximumPollers"),
      pollerGroupName: config.string("PollerGroupName"),
    })
  );
}

function kafkaConfig(config: JsonMembers | undefined): KafkaConfigInput | undefined {
  if (config === undefined) return undefined;
  const registry = config.structure("SchemaRegistryConfig");
  return sent({
    consumerGroupId: config.string("ConsumerGroupId"),
    schemaRegistry: registry && (registry.isEmpty ? ("empty" as const) : ("set" as const)),
    consumptionMode: config.string("ConsumptionMode"),
  });
}

function seconds(value: number | undefined): SecondsAndNanos | undefined {
  return value === undefined ? undefined : { seconds: BigInt(value), nanos: 0 };
}

function sent<T extends object>(members: T): Sent<T> {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Sent<T>;
}
