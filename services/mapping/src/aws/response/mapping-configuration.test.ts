import { describe, expect, it } from "vitest";
import type { StoredMapping } from "../../store/rows/stored-mapping.ts";
import { listedConfiguration, mappingConfiguration } from "./mapping-configuration.ts";

const SCOPE = { region: "us-east-1", accountId: "000000000000" };
const UUID = "3f0f6c56-51e0-4d4b-9d43-2d4b0d8bb4a1";
const SECRET = "arn:aws:secretsmanager:us-east-1:000000000000:secret:kafka";
const KEY = "arn:aws:kms:us-east-1:000000000000:key/k";

/** As created from nothing but what is required. */
const PLAIN: StoredMapping = {
  id: UUID,
  sequence: 1n,
  revision: 1n,
  functionRef: { name: "F", qualifier: "" },
  bootstrapServers: ["kafka:1000"],
  topic: "topic",
  consumerGroupId: UUID,
  batchSize: 100,
  batchingWindowMs: null,
  startingPosition: "TRIM_HORIZON",
  startingPositionTimestampMs: null,
  filterPatterns: [],
  provisionedPollers: null,
  isEnabled: true,
  sourceAccess: [{ type: "BASIC_AUTH", uri: SECRET }],
  kmsKeyArn: null,
  onFailureDestination: null,
  maximumRetryAttempts: null,
  maximumRecordAgeSeconds: null,
  bisectBatchOnFunctionError: null,
  metrics: [],
  systemLogLevel: null,
  state: "Creating",
  stateReason: "USER_INITIATED",
  lastProcessingResult: "No records processed",
  modifiedAtMs: 1_725_397_109_100,
  createdAtMs: 1_725_397_109_100,
  problem: null,
} as unknown as StoredMapping;

const shown = (changes: Partial<StoredMapping>) =>
  JSON.parse(JSON.stringify(mappingConfiguration({ ...PLAIN, ...changes }, SCOPE)));
const listed = (changes: Partial<StoredMapping>) =>
  JSON.parse(JSON.stringify(listedConfiguration({ ...PLAIN, ...changes }, SCOPE)));

describe("mappingConfiguration", () => {
  it("has the members of AWS's recorded answer, and no other but its own ARN", () => {
    expect(shown({})).toEqual({
      BatchSize: 100,
      EventSourceMappingArn: `arn:aws:lambda:us-east-1:000000000000:event-source-mapping:${UUID}`,
      FunctionArn: "arn:aws:lambda:us-east-1:000000000000:function:F",
      LastModified: 1_725_397_109.1,
      LastProcessingResult: "No records processed",
      SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ["kafka:1000"] } },
      SelfManagedKafkaEventSourceConfig: { ConsumerGroupId: UUID },
      SourceAccessConfigurations: [{ Type: "BASIC_AUTH", URI: SECRET }],
      StartingPosition: "TRIM_HORIZON",
      State: "Creating",
      StateTransitionReason: "USER_INITIATED",
      Topics: ["topic"],
      UUID,
    });
  });

  it.each<[Partial<StoredMapping>, object]>([
    [
      { functionRef: { name: "F", qualifier: "$LATEST" } },
      { FunctionArn: "arn:aws:lambda:us-east-1:000000000000:function:F:$LATEST" },
    ],
    [{ batchingWindowMs: 0 }, { MaximumBatchingWindowInSeconds: 0 }],
    [{ batchingWindowMs: 250 }, { MaximumBatchingWindowInSeconds: 1 }],
    [{ batchingWindowMs: 2001 }, { MaximumBatchingWindowInSeconds: 3 }],
    [{ batchingWindowMs: 300_000 }, { MaximumBatchingWindowInSeconds: 300 }],
    [
      { startingPosition: "AT_TIMESTAMP", startingPositionTimestampMs: 1_700_000_000_123 },
      { StartingPosition: "AT_TIMESTAMP", StartingPositionTimestamp: 1_700_000_000.123 },
    ],
    [
      { filterPatterns: ["{}", '{"value":{"a":[1]}}'] },
      { FilterCriteria: { Filters: [{ Pattern: "{}" }, { Pattern: '{"value":{"a":[1]}}' }] } },
    ],
    [
      { provisionedPollers: { minimumPollers: 5, maximumPollers: null, pollerGroupName: "g" } },
      { ProvisionedPollerConfig: { MinimumPollers: 5, MaximumPollers: 200, PollerGroupName: "g" } },
    ],
    [
      { provisionedPollers: { minimumPollers: null, maximumPollers: 7, pollerGroupName: null } },
      { ProvisionedPollerConfig: { MinimumPollers: 1, MaximumPollers: 7 } },
    ],
    [{ kmsKeyArn: KEY }, { KMSKeyArn: KEY }],
    [
      { onFailureDestination: "kafka://dead" },
      { DestinationConfig: { OnFailure: { Destination: "kafka://dead" } } },
    ],
    [{ maximumRetryAttempts: -1 }, { MaximumRetryAttempts: -1 }],
    [{ maximumRecordAgeSeconds: 60 }, { MaximumRecordAgeInSeconds: 60 }],
    [{ bisectBatchOnFunctionError: false }, { BisectBatchOnFunctionError: false }],
    [{ metrics: ["KafkaMetrics"] }, { MetricsConfig: { Metrics: ["KafkaMetrics"] } }],
    [{ systemLogLevel: "WARN" }, { LoggingConfig: { SystemLogLevel: "WARN" } }],
  ])("shows %j", (changes, members) => {
    expect(shown(changes)).toEqual({ ...shown({}), ...members });
    expect(listed({ ...changes, kmsKeyArn: null })).toEqual({
      ...shown({ ...changes, kmsKeyArn: null }),
    });
  });

  it("has no source access when there is none", () => {
    expect(shown({ sourceAccess: [] })).not.toHaveProperty("SourceAccessConfigurations");
  });

  it("says why filter criteria can't be shown", () => {
    const problem = { code: "KMSNotFoundException", message: "no such key" };
    const configuration = mappingConfiguration({ ...PLAIN, kmsKeyArn: KEY }, SCOPE, problem);
    expect(configuration).toMatchObject({
      KMSKeyArn: KEY,
      FilterCriteriaError: { ErrorCode: "KMSNotFoundException", Message: "no such key" },
    });
    expect(configuration).not.toHaveProperty("FilterCriteria");
  });
});

describe("listedConfiguration", () => {
  it("shows encrypted filter criteria as null", () => {
    expect(listed({ kmsKeyArn: KEY, filterPatterns: ['{"value":["secret"]}'] })).toEqual({
      ...shown({}),
      KMSKeyArn: KEY,
      FilterCriteria: null,
    });
  });
});
