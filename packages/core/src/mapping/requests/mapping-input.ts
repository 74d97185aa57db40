/**
 * What either face makes of a request, before anything is judged. Absent = not sent. Enums are strings as the caller wrote them: the gRPC face turns
 * numbers into AWS's names (an unknown number into its digits), the AWS face passes on what came.
 */

import type { SecondsAndNanos } from "../constraints/field-values.ts";
import type { SourceAccessType } from "../source-access.ts";

/** The settings that create and update have in common. */
export interface MappingInput {
  readonly functionName?: string;
  readonly batchSize?: number;
  readonly maximumBatchingWindow?: SecondsAndNanos;
  /** The patterns of FilterCriteria, in order; null = a filter without a pattern. Empty = no filters (update: removes them). */
  readonly filterPatterns?: readonly (string | null)[];
  readonly enabled?: boolean;
  /** Without members = not in provisioned mode (update: leaves it). */
  readonly provisionedPollers?: ProvisionedPollersInput;
  readonly sourceAccess?: readonly SourceAccessInput[];
  /** Empty = none (update: removes it). */
  readonly kmsKeyArn?: string;
  /** Empty = none (update: removes it). */
  readonly onFailureDestination?: string;
  /** Whether DestinationConfig had a member OnSuccess. */
  readonly hasOnSuccess?: boolean;
  readonly maximumRetryAttempts?: number;
  readonly maximumRecordAge?: SecondsAndNanos;
  readonly bisectBatchOnFunctionError?: boolean;
  readonly functionResponseTypes?: readonly string[];
  readonly metrics?: readonly string[];
  /** Null = LoggingConfig without a level: off. */
  readonly systemLogLevel?: string | null;
  /** SelfManagedKafkaEventSourceConfig. */
  readonly kafkaConfig?: KafkaConfigInput;
  /** Members that AWS has for other event sources and that were sent, in AWS's spelling: `ScalingConfig`, `Queues`, … */
  readonly otherMembers?: readonly string[];
}

export interface ProvisionedPollersInput {
  readonly minimumPollers?: number;
  readonly maximumPollers?: number;
  /** Empty = none (update: leaves the group). */
  readonly pollerGroupName?: string;
}

export interface SourceAccessInput {
  readonly type: string;
  /** Absent = not sent. */
  readonly uri?: string;
}

export interface KafkaConfigInput {
  readonly consumerGroupId?: string;
  /** SchemaRegistryConfig: `empty` = sent without members. */
  readonly schemaRegistry?: "empty" | "set";
  readonly consumptionMode?: string;
}

/** A mapping to create. */
export interface CreateMappingInput extends MappingInput {
  /** SelfManagedEventSource.Endpoints.KAFKA_BOOTSTRAP_SERVERS. */
  readonly bootstrapServers?: readonly string[];
  /** Other keys of SelfManagedEventSource.Endpoints. */
  readonly unknownEndpointTypes?: readonly string[];
  readonly topics?: readonly string[];
  readonly startingPosition?: string;
  readonly startingPositionTimestamp?: SecondsAndNanos;
  readonly tags?: Readonly<Record<string, string>>;
  readonly eventSourceArn?: string;
}

/** What the installation and the moment say. */
export interface MappingRules {
  /** PENSTOCK_AWS_STRICT: refuses what AWS refuses and Penstock could do. */
  readonly isStrict: boolean;
  /** The keys that PENSTOCK_KMS_KEYS maps. */
  readonly kmsKeyArns: ReadonlySet<string>;
  readonly nowMs: number;
  readonly check: PatternCheck;
  /**
   * Says what is wrong with a reference to a secret, in words that follow the name of the field, such as `must begin with file:`; null = nothing. Absent =
   * not looked at.
   */
  readonly checkSecretReference?: (uri: string, type: SourceAccessType) => string | null;
}

/** Compiles filter patterns, throwing `invalidArgument` on a bad one: `compileFilter`. */
export type PatternCheck = (patterns: readonly string[]) => unknown;
