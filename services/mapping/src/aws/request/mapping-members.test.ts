import { compileFilter, readCreateMapping, readUpdateMapping } from "@penstock/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { errorAnswer } from "../wire/error-answer.ts";
import { JsonMembers } from "./json-members.ts";
import { createInput, updateInput } from "./mapping-members.ts";

const create = (body: object) => createInput(JsonMembers.of(body));
const update = (body: object) => updateInput(JsonMembers.of(body));
const whole = (seconds: bigint) => ({ seconds, nanos: 0 });

describe("createInput", () => {
  it("has nothing of what was not sent", () => {
    expect(create({})).toEqual({});
    expect(create({ FunctionName: null, Tags: null, MadeUp: 1 })).toEqual({});
  });

  it.each<[object, object]>([
    [{ FunctionName: "f" }, { functionName: "f" }],
    [{ Topics: ["a", "b"] }, { topics: ["a", "b"] }],
    [
      { SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ["a:1", "b:2"] } } },
      { bootstrapServers: ["a:1", "b:2"] },
    ],
    [
      { SelfManagedEventSource: { Endpoints: { KafkaBootstrapServers: ["a:1"] } } },
      { unknownEndpointTypes: ["KafkaBootstrapServers"] },
    ],
    [{ SelfManagedEventSource: {} }, {}],
    [{ StartingPosition: "FOO" }, { startingPosition: "FOO" }],
    [
      { StartingPositionTimestamp: 1_700_000_000.5 },
      { startingPositionTimestamp: { seconds: 1_700_000_000n, nanos: 500_000_000 } },
    ],
    [{ Tags: { a: "b" } }, { tags: { a: "b" } }],
    [{ EventSourceArn: "arn:aws:kafka:x" }, { eventSourceArn: "arn:aws:kafka:x" }],
    [{ Queues: ["q"], ScalingConfig: {} }, { otherMembers: ["ScalingConfig", "Queues"] }],
  ])("reads %j", (body, input) => {
    expect(create(body)).toEqual(input);
  });

  it("reads the document's SCRAM and provisioned-poller examples", () => {
    const uri = "arn:aws:secretsmanager:us-east-1:111122223333:secret:MyBrokerSecretName";
    const body = {
      Topics: ["AWSKafkaTopic"],
      SourceAccessConfigurations: [{ Type: "SASL_SCRAM_512_AUTH", URI: uri }],
      FunctionName: "arn:aws:lambda:us-east-1:111122223333:function:my-kafka-function",
      SelfManagedEventSource: {
        Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ["abc3.xyz.com:9092", "abc2.xyz.com:9092"] },
      },
      ProvisionedPollerConfig: { MinimumPollers: 5, MaximumPollers: 100 },
    };
    expect(create(body)).toEqual({
      topics: ["AWSKafkaTopic"],
      sourceAccess: [{ type: "SASL_SCRAM_512_AUTH", uri }],
      functionName: body.FunctionName,
      bootstrapServers: ["abc3.xyz.com:9092", "abc2.xyz.com:9092"],
      provisionedPollers: { minimumPollers: 5, maximumPollers: 100 },
    });
  });
});

describe("updateInput", () => {
  it.each<[string, object, object]>([
    ["BatchSize", { BatchSize: 7 }, { batchSize: 7 }],
    ["Enabled", { Enabled: false }, { enabled: false }],
    ["the window", { MaximumBatchingWindowInSeconds: 300 }, { maximumBatchingWindow: whole(300n) }],
    ["filters", { FilterCriteria: { Filters: [{ Pattern: "{}" }] } }, { filterPatterns: ["{}"] }],
    [
      "a filter without a pattern",
      { FilterCriteria: { Filters: [{}] } },
      { filterPatterns: [null] },
    ],
    ["no filters", { FilterCriteria: {} }, { filterPatterns: [] }],
    ["no provisioned mode", { ProvisionedPollerConfig: {} }, { provisionedPollers: {} }],
    [
      "leaving the poller group",
      { ProvisionedPollerConfig: { PollerGroupName: "" } },
      { provisionedPollers: { pollerGroupName: "" } },
    ],
    ["no source access", { SourceAccessConfigurations: [] }, { sourceAccess: [] }],
    [
      "source access without URI",
      { SourceAccessConfigurations: [{ Type: "IAM_AUTH" }] },
      { sourceAccess: [{ type: "IAM_AUTH" }] },
    ],
    ["no key", { KMSKeyArn: "" }, { kmsKeyArn: "" }],
    [
      "no destination",
      { DestinationConfig: { OnFailure: { Destination: "" } } },
      { onFailureDestination: "" },
    ],
    ["an empty DestinationConfig", { DestinationConfig: {} }, {}],
    ["OnSuccess", { DestinationConfig: { OnSuccess: {} } }, { hasOnSuccess: true }],
    ["retries", { MaximumRetryAttempts: -1 }, { maximumRetryAttempts: -1 }],
    ["age", { MaximumRecordAgeInSeconds: -1 }, { maximumRecordAge: whole(-1n) }],
    ["bisect", { BisectBatchOnFunctionError: true }, { bisectBatchOnFunctionError: true }],
    ["no response types", { FunctionResponseTypes: [] }, { functionResponseTypes: [] }],
    ["no metrics", { MetricsConfig: { Metrics: [] } }, { metrics: [] }],
    ["an empty MetricsConfig", { MetricsConfig: {} }, { metrics: [] }],
    ["a log level", { LoggingConfig: { SystemLogLevel: "INFO" } }, { systemLogLevel: "INFO" }],
    ["no log", { LoggingConfig: {} }, { systemLogLevel: null }],
    ["an empty Kafka block", { SelfManagedKafkaEventSourceConfig: {} }, { kafkaConfig: {} }],
    [
      "no schema registry",
      { SelfManagedKafkaEventSourceConfig: { SchemaRegistryConfig: {} } },
      { kafkaConfig: { schemaRegistry: "empty" } },
    ],
    [
      "a schema registry, a group, a mode",
      {
        SelfManagedKafkaEventSourceConfig: {
          ConsumerGroupId: "g",
          SchemaRegistryConfig: { SchemaRegistryURI: "x" },
          ConsumptionMode: "Queue",
        },
      },
      { kafkaConfig: { consumerGroupId: "g", schemaRegistry: "set", consumptionMode: "Queue" } },
    ],
    [
      "members of other sources",
      { AmazonManagedKafkaEventSourceConfig: {}, ParallelizationFactor: 1, Queues: ["q"] },
      { otherMembers: ["ParallelizationFactor", "AmazonManagedKafkaEventSourceConfig"] },
    ],
    ["create-only members", { Topics: ["t"], StartingPosition: "LATEST", Tags: { a: "b" } }, {}],
  ])("reads %s", (_name, body, input) => {
    expect(update(body)).toEqual(input);
  });

  it("S-17: names the member whose type is wrong, however deep", () => {
    const body = { FilterCriteria: { Filters: [{}, { Pattern: 1 }] } };
    expect(() => update(body)).toThrow("FilterCriteria.Filters[1].Pattern: NUMBER_VALUE");
  });
});

describe("any JSON", () => {
  const scalars = fc.oneof(
    fc.constantFrom(
      null,
      true,
      "",
      "a",
      "{}",
      "arn:aws:kms:r:a:key/k",
      "a:1",
      -1,
      0,
      1,
      60,
      1e9,
      0.5,
    ),
    fc.string({ unit: "binary", maxLength: 12 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  );
  const NAMES = [
    ...["FunctionName", "Topics", "BatchSize", "MaximumBatchingWindowInSeconds", "Enabled"],
    ...["SelfManagedEventSource", "Endpoints", "KAFKA_BOOTSTRAP_SERVERS", "Tags", "Queues"],
    ...["StartingPosition", "StartingPositionTimestamp", "EventSourceArn", "KMSKeyArn"],
    ...["SourceAccessConfigurations", "Type", "URI", "FilterCriteria", "Filters", "Pattern"],
    ...["ProvisionedPollerConfig", "MinimumPollers", "MaximumPollers", "PollerGroupName"],
    ...["DestinationConfig", "OnFailure", "Destination", "MaximumRetryAttempts", "Metrics"],
    ...["MaximumRecordAgeInSeconds", "BisectBatchOnFunctionError", "FunctionResponseTypes"],
    ...["MetricsConfig", "LoggingConfig", "SystemLogLevel", "SelfManagedKafkaEventSourceConfig"],
    ...["ConsumerGroupId", "SchemaRegistryConfig", "ConsumptionMode", "__proto__", "constructor"],
  ];
  const { body } = fc.letrec<{ value: unknown; body: object }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      scalars,
      fc.array(tie("value"), { maxLength: 3 }),
      tie("body"),
    ),
    body: fc.dictionary(fc.constantFrom(...NAMES), tie("value"), { maxKeys: 8 }),
  }));
  const rules = {
    isStrict: false,
    kmsKeyArns: new Set<string>(),
    nowMs: 1_700_000_000_000,
    check: compileFilter,
  };

  it("S-16: becomes settings or a client error, never a failure of ours", () => {
    fc.assert(
      fc.property(body, (sent) => {
        for (const judge of [
          () => readCreateMapping(create(sent), rules),
          () => readUpdateMapping(update(sent), null, rules),
        ]) {
          try {
            judge();
          } catch (error) {
            expect(errorAnswer(error), String(error)).toMatchObject({ status: 400 });
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});
