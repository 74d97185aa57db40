import type { CreateMappingInput, KafkaConfigInput, MappingInput } from "@penstock/core";
import type { mapping } from "@penstock/proto";
import {
  accessName,
  logLevelName,
  metricName,
  modeName,
  positionName,
  responseTypeName,
} from "./enum-names.ts";

type CreateRequest = mapping.CreateEventSourceMappingRequest;
type UpdateRequest = mapping.UpdateEventSourceMappingRequest;

/** Reads the create message: presence becomes absence of a key, nothing is judged here. */
export function createInput(request: CreateRequest): CreateMappingInput {
  const { startingPosition, startingPositionTimestamp: timestamp } = request;
  const endpoints = request.selfManagedEventSource?.endpoints;
  return {
    ...mappingInput(request),
    ...(endpoints && { bootstrapServers: endpoints.kafkaBootstrapServers }),
    ...(request.topics.length > 0 && { topics: request.topics }),
    // UNSPECIFIED is TRIM_HORIZON, as if it had not been sent.
    ...(startingPosition && { startingPosition: positionName(startingPosition) }),
    ...(timestamp && { startingPositionTimestamp: timestamp }),
    ...(Object.keys(request.tags).length > 0 && { tags: request.tags }),
    ...(request.eventSourceArn !== undefined && { eventSourceArn: request.eventSourceArn }),
  };
}

/** Reads the fields that create and update have in common. An empty list was not sent: the wire can't tell the two apart. */
export function mappingInput(request: CreateRequest | UpdateRequest): MappingInput {
  const { functionName, batchSize, enabled, kmsKeyArn, maximumRetryAttempts } = request;
  const bisectBatchOnFunctionError = request.bisectBatchOnFunctionError;
  const { maximumBatchingWindow, maximumRecordAge } = request;
  return {
    ...(functionName !== undefined && { functionName }),
    ...(batchSize !== undefined && { batchSize }),
    ...(enabled !== undefined && { enabled }),
    ...(kmsKeyArn !== undefined && { kmsKeyArn }),
    ...(maximumRetryAttempts !== undefined && { maximumRetryAttempts }),
    ...(bisectBatchOnFunctionError !== undefined && { bisectBatchOnFunctionError }),
    ...(maximumBatchingWindow && { maximumBatchingWindow }),
    ...(maximumRecordAge && { maximumRecordAge }),
    ...listInput(request),
    ...nestedInput(request),
  };
}

function listInput(request: CreateRequest | UpdateRequest): MappingInput {
  const access = request.sourceAccessConfigurations;
  const types = request.functionResponseTypes;
  return {
    ...(access.length > 0 && {
      sourceAccess: access.map(({ type, uri }) => ({ type: accessName(type), uri })),
    }),
    ...(types.length > 0 && { functionResponseTypes: types.map(responseTypeName) }),
  };
}

function nestedInput(request: CreateRequest | UpdateRequest): MappingInput {
  const { filterCriteria, provisionedPollerConfig: pollers, destinationConfig } = request;
  const { metricsConfig, loggingConfig, selfManagedKafkaEventSourceConfig: kafka } = request;
  const destination = destinationConfig?.onFailure?.destination;
  const level = loggingConfig?.systemLogLevel;
  return {
    ...(filterCriteria && {
      filterPatterns: filterCriteria.filters.map((filter) => filter.pattern),
    }),
    ...(pollers && { provisionedPollers: pollersInput(pollers) }),
    ...(destination !== undefined && { onFailureDestination: destination }),
    ...(destinationConfig?.onSuccess && { hasOnSuccess: true }),
    ...(metricsConfig && { metrics: metricsConfig.metrics.map(metricName) }),
    ...(loggingConfig && { systemLogLevel: level === undefined ? null : logLevelName(level) }),
    ...(kafka && { kafkaConfig: kafkaInput(kafka) }),
  };
}

function pollersInput(config: mapping.ProvisionedPollerConfig) {
  const { minimumPollers, maximumPollers, pollerGroupName } = config;
  return {
    ...(minimumPollers !== undefined && { minimumPollers }),
    ...(maximumPollers !== undefined && { maximumPollers }),
    ...(pollerGroupName !== undefined && { pollerGroupName }),
  };
}

function kafkaInput(config: mapping.SelfManagedKafkaEventSourceConfig): KafkaConfigInput {
  const { consumerGroupId, schemaRegistryConfig: registry, consumptionMode: mode } = config;
  return {
    ...(consumerGroupId !== undefined && { consumerGroupId }),
    ...(registry && {
      schemaRegistry: registry.schemaRegistryUri === undefined ? "empty" : "set",
    }),
    ...(mode && { consumptionMode: modeName(mode) }),
  };
}
