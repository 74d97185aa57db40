import { type CreateMappingInput, type MappingInput, PenstockError } from "@penstock/core";
import { mapping } from "@penstock/proto";

/** Reads the create message: presence becomes absence of a key, nothing is judged here. */
export function createInput(request: mapping.CreateEventSourceMappingRequest): CreateMappingInput {
  const groupId = request.selfManagedKafkaEventSourceConfig?.consumerGroupId;
  const timestamp = request.startingPositionTimestamp;
  return {
    ...mutableInput(request),
    bootstrapServers: request.selfManagedEventSource?.endpoints?.kafkaBootstrapServers ?? [],
    topics: request.topics,
    ...(groupId !== undefined && { kafkaConfig: { consumerGroupId: groupId } }),
    ...startingPosition(request.startingPosition),
    ...(timestamp && { startingPositionTimestamp: timestamp }),
  };
}

/** Reads the fields that create and update have in common. */
export function mutableInput(
  request: mapping.CreateEventSourceMappingRequest | mapping.UpdateEventSourceMappingRequest,
): MappingInput {
  const { filterCriteria, provisionedPollerConfig, maximumBatchingWindow } = request;
  return {
    ...(request.functionName !== undefined && { functionName: request.functionName }),
    ...(request.batchSize !== undefined && { batchSize: request.batchSize }),
    ...(maximumBatchingWindow && { maximumBatchingWindow }),
    ...(filterCriteria && {
      filterPatterns: filterCriteria.filters.map((filter) => filter.pattern),
    }),
    ...(provisionedPollerConfig && {
      provisionedPollers:
        provisionedPollerConfig.minimumPollers === undefined
          ? {}
          : { minimumPollers: provisionedPollerConfig.minimumPollers },
    }),
    ...(request.enabled !== undefined && { enabled: request.enabled }),
  };
}

const POSITIONS = new Map<number, string>([
  [mapping.StartingPosition.UNSPECIFIED, "TRIM_HORIZON"],
  [mapping.StartingPosition.TRIM_HORIZON, "TRIM_HORIZON"],
  [mapping.StartingPosition.LATEST, "LATEST"],
  [mapping.StartingPosition.AT_TIMESTAMP, "AT_TIMESTAMP"],
]);

function startingPosition(value: number | undefined) {
  return value === undefined ? {} : { startingPosition: POSITIONS.get(value) ?? String(value) };
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The UUID of a request, in lower case. @throws PenstockError `invalidArgument`. */
export function readUuid(text: string): string {
  const uuid = text.toLowerCase();
  if (UUID.test(uuid)) return uuid;
  const description = "uuid must be the UUID of a mapping.";
  throw new PenstockError("invalidArgument", description, {
    violations: [{ field: "uuid", description }],
  });
}
