import { describe, expect, it } from "vitest";
import {
  KNOWN_KEY,
  LEAST,
  RULES,
  refusedCreate,
  STRICT,
  stored,
} from "../testing/mapping-requests.ts";
import { readCreateMapping } from "./create-mapping.ts";
import type { CreateMappingInput } from "./mapping-input.ts";

const SERVERS = "self_managed_event_source.endpoints.kafka_bootstrap_servers";
const GROUP = "self_managed_kafka_event_source_config.consumer_group_id";
const DESTINATION = "destination_config.on_failure.destination";
const KMS = "kms_key_arn";
const label = "a".repeat(63);
const ref = (functionName: string): CreateMappingInput => ({ functionName });
const server = (text: string): CreateMappingInput => ({ bootstrapServers: [text] });
const topic = (text: string): CreateMappingInput => ({ topics: [text] });
const group = (consumerGroupId: string): CreateMappingInput => ({
  kafkaConfig: { consumerGroupId },
});
const to = (onFailureDestination: string): CreateMappingInput => ({ onFailureDestination });
const pollers = (text: string): CreateMappingInput => ({
  provisionedPollers: { pollerGroupName: text },
});

/** Patterns: what is accepted and what is not, with the field that says so. */
const PATTERNS: [CreateMappingInput, string | null][] = [
  [ref("a.b_c-D9"), null],
  [ref("a b"), "function_name"],
  [ref("123456789012:function:f"), null],
  [ref("arn:aws-eusc:lambda:eusc-de-east-1:123456789012:function:f"), null],
  [ref("arn:aws:lambda:us-east-1:123456789012:function:f:live"), null],
  [ref("f:$LATEST.PUBLISHED"), null],
  [ref("f:$OTHER"), "function_name"],
  [ref("arn:aws:sqs:us-east-1:1:f"), "function_name"],
  [server(`b-1.${label}.x:9092`), null],
  [server("127.0.0.1:1"), null],
  [server("kafka:65535"), null],
  [server("kafka"), `${SERVERS}[0]`],
  [server("kafka:0"), `${SERVERS}[0]`],
  [server("kafka:65536"), `${SERVERS}[0]`],
  [server("kafka-:1"), `${SERVERS}[0]`],
  [server("a..b:1"), `${SERVERS}[0]`],
  [server("a_b:1"), `${SERVERS}[0]`],
  [server("http://kafka:1"), `${SERVERS}[0]`],
  [server("a:9092,b:9092"), `${SERVERS}[0]`],
  [topic("__proto__"), null],
  [topic("-.x"), null],
  [topic(".t"), "topics[0]"],
  [topic("a/b"), "topics[0]"],
  [topic("/t"), "topics[0]"],
  [topic("t\n"), "topics[0]"],
  [group("aZ0-/*:_+=.@"), null],
  [group("my group"), null],
  [group("a#b"), GROUP],
  [group("a\tb"), GROUP],
  [{ kmsKeyArn: KNOWN_KEY }, null],
  [{ kmsKeyArn: "" }, null],
  [{ kmsKeyArn: `${KNOWN_KEY}2` }, KMS],
  [{ kmsKeyArn: "key" }, KMS],
  [to(""), null],
  [to("kafka://dead-letters"), null],
  [to("kafka://orders"), DESTINATION],
  [to("kafka://.x"), DESTINATION],
  [to("kafka://"), DESTINATION],
  [to("dead-letters"), DESTINATION],
  [to("arn:aws:sqs:us-east-1:000000000000:q"), null],
  [to("arn:aws:sns:us-east-1:000000000000:t"), null],
  [to("arn:aws:s3:::bucket"), null],
  [to("arn:aws:sqs:us-east-1:000000000000:q.fifo"), DESTINATION],
  [to("arn:aws:lambda:us-east-1:000000000000:function:f"), DESTINATION],
  [pollers("a-B_9"), null],
  [pollers("a b"), "provisioned_poller_config.poller_group_name"],
  [{ metrics: ["ErrorCount", "EventCount"] }, null],
  [{ metrics: ["Other"] }, "metrics_config.metrics"],
  [{ metrics: ["EventCount", "EventCount"] }, "metrics_config.metrics"],
  [{ systemLogLevel: "DEBUG" }, null],
  [{ systemLogLevel: "INFO" }, null],
  [{ systemLogLevel: "WARN" }, null],
  [{ systemLogLevel: null }, null],
  [{ systemLogLevel: "TRACE" }, "logging_config.system_log_level"],
  [{ filterPatterns: ["{}", "bad"] }, "filter_criteria.filters[1].pattern"],
  [{ filterPatterns: [null] }, "filter_criteria.filters[0].pattern"],
  [{ filterPatterns: ['{"value":["\ud800"]}'] }, "filter_criteria.filters[0].pattern"],
  [{ kafkaConfig: {} }, null],
  [{ kafkaConfig: { schemaRegistry: "empty", consumptionMode: "Stream" } }, null],
  [{ functionResponseTypes: [] }, null],
  [{ provisionedPollers: { minimumPollers: 3, maximumPollers: 3 } }, null],
  [
    { provisionedPollers: { minimumPollers: 3, maximumPollers: 2 } },
    "provisioned_poller_config.maximum_pollers",
  ],
];

/** What AWS answers, word for word. V = as recorded from AWS; the others follow its form. */
const TEXTS: [string, CreateMappingInput, string][] = [
  [
    "V",
    { batchSize: 20_000 },
    constraint("20000", "batchSize", "Member must have value less than or equal to 10000"),
  ],
  [
    "V",
    { startingPosition: "FOO" },
    constraint(
      "FOO",
      "startingPosition",
      "Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]",
    ),
  ],
  [
    "V",
    { hasOnSuccess: true },
    "Unsupported DestinationConfig parameter for given event source mapping type.",
  ],
  ["V", { filterPatterns: ["bad"] }, "Invalid filter pattern definition."],
  [
    "V",
    { kafkaConfig: { consumptionMode: "Queue" } },
    "Unsupported 'ConsumptionMode' parameter for given event source mapping type",
  ],
  [
    "",
    { kafkaConfig: { consumptionMode: "Lifo" } },
    constraint(
      "Lifo",
      "selfManagedKafkaEventSourceConfig.consumptionMode",
      "Member must satisfy enum value set: [Stream, Queue]",
    ),
  ],
  [
    "",
    { kafkaConfig: { schemaRegistry: "set" } },
    "Unsupported 'selfManagedKafkaEventSourceConfig.schemaRegistryConfig' parameter",
  ],
  [
    "",
    { functionResponseTypes: ["ReportBatchItemFailures"] },
    "Unsupported FunctionResponseTypes parameter for given event source mapping type.",
  ],
  [
    "",
    { functionResponseTypes: ["Foo"] },
    constraint(
      "[Foo]",
      "functionResponseTypes",
      "Member must satisfy constraint: [Member must satisfy enum value set: [ReportBatchItemFailures], Member must not be null]",
    ),
  ],
  [
    "",
    { metrics: ["Foo"] },
    constraint(
      "[Foo]",
      "metricsConfig.metrics",
      "Member must satisfy constraint: [Member must satisfy enum value set: [EventCount, ErrorCount, KafkaMetrics], Member must not be null]",
    ),
  ],
  [
    "",
    { systemLogLevel: "X" },
    constraint(
      "X",
      "loggingConfig.systemLogLevel",
      "Member must satisfy enum value set: [DEBUG, INFO, WARN]",
    ),
  ],
  [
    "",
    { unknownEndpointTypes: ["Zk"] },
    constraint(
      "{Zk=…}",
      "selfManagedEventSource.endpoints",
      "Map keys must satisfy constraint: [Member must satisfy enum value set: [KAFKA_BOOTSTRAP_SERVERS], Member must not be null]",
    ),
  ],
  [
    "",
    { otherMembers: ["ScalingConfig"] },
    "Unsupported ScalingConfig parameter for given event source mapping type.",
  ],
  [
    "",
    { eventSourceArn: "arn:aws:kafka:us-east-1:1:cluster/c/1" },
    "Unsupported EventSourceArn parameter: use SelfManagedEventSource.",
  ],
  [
    "",
    { functionName: "a b" },
    constraint(
      "a b",
      "functionName",
      "Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?",
    ),
  ],
  [
    "",
    { kafkaConfig: { consumerGroupId: "#" } },
    constraint(
      "#",
      "selfManagedKafkaEventSourceConfig.consumerGroupId",
      "Member must satisfy regular expression pattern: [ a-zA-Z0-9-\\/*:_+=.@-]*",
    ),
  ],
];

function constraint(value: string, member: string, words: string): string {
  return `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: ${words}`;
}

describe("readCreateMapping", () => {
  it.each(PATTERNS)("%j is judged at %s", (changes, field) => {
    expect(refusedCreate(changes)?.fields ?? []).toEqual(field === null ? [] : [field]);
  });

  it.each(TEXTS)("%s says of %j what AWS does", (_, changes, message) => {
    const refused = refusedCreate(changes);
    expect(refused?.message).toBe(message);
    const isConstraint = message.startsWith("1 validation error");
    expect(refused?.type).toBe(
      isConstraint ? "ValidationException" : "InvalidParameterValueException",
    );
  });

  it.each([
    [
      "functionName",
      "ValidationException",
      "1 validation error detected: Value null at 'functionName' failed to satisfy constraint: Member must not be null",
    ],
    ["bootstrapServers", "InvalidParameterValueException", "Unrecognized event source."],
    ["topics", "InvalidParameterValueException", "Required 'topics' parameter is missing."],
  ] as const)("requires %s", (member, type, message) => {
    const { [member]: _, ...rest } = LEAST;
    const act = () => readCreateMapping(rest, RULES);
    expect(act).toThrow(/is required/);
    expect(refusedCreate({ [member]: undefined } as CreateMappingInput)).toMatchObject({
      type,
      message,
    });
  });

  it("reports everything that is wrong at once, to AWS's callers all constraints", () => {
    const refused = refusedCreate({
      topics: [],
      batchSize: 0,
      bootstrapServers: ["x"],
      hasOnSuccess: true,
    });
    expect(refused?.fields).toHaveLength(4);
    expect(refused?.message).toMatch(
      /^3 validation errors detected: Value '.*; Value '.*; Value '/,
    );
  });

  it("fills in AWS's defaults, and leaves unset what AWS does not echo", () => {
    expect(readCreateMapping(LEAST, RULES)).toEqual({
      settings: {
        functionRef: { name: "orders", qualifier: "" },
        bootstrapServers: ["kafka:9092"],
        topic: "orders",
        consumerGroupId: null,
        startingPosition: "TRIM_HORIZON",
        startingPositionTimestampMs: null,
        batchSize: 100,
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
      },
      tags: new Map(),
    });
  });

  it("keeps what was sent", () => {
    const sent: CreateMappingInput = {
      ...LEAST,
      functionName: "arn:aws:lambda:eu-west-3:999999999999:function:f:live",
      batchSize: 7,
      maximumBatchingWindow: { seconds: 1n, nanos: 250_000_000 },
      filterPatterns: ["{}"],
      enabled: false,
      provisionedPollers: { minimumPollers: 2, pollerGroupName: "" },
      sourceAccess: [{ type: "SASL_SCRAM_512_AUTH", uri: "file:scram" }],
      kmsKeyArn: KNOWN_KEY,
      onFailureDestination: "kafka://dead",
      maximumRetryAttempts: 0,
      maximumRecordAge: { seconds: 60n, nanos: 0 },
      bisectBatchOnFunctionError: false,
      metrics: ["KafkaMetrics"],
      systemLogLevel: "WARN",
      kafkaConfig: { consumerGroupId: "my group" },
      startingPosition: "AT_TIMESTAMP",
      startingPositionTimestamp: { seconds: 1n, nanos: 2_500_000 },
      tags: { team: "a" },
    };
    expect(readCreateMapping(sent, RULES)).toMatchObject({
      settings: {
        functionRef: { name: "f", qualifier: "live" },
        batchSize: 7,
        batchingWindowMs: 1250,
        provisionedPollers: { minimumPollers: 2, maximumPollers: null, pollerGroupName: null },
        isEnabled: false,
        sourceAccess: [{ type: "SASL_SCRAM_512_AUTH", uri: "file:scram" }],
        kmsKeyArn: KNOWN_KEY,
        onFailureDestination: "kafka://dead",
        maximumRetryAttempts: 0,
        maximumRecordAgeSeconds: 60,
        bisectBatchOnFunctionError: false,
        metrics: ["KafkaMetrics"],
        systemLogLevel: "WARN",
        consumerGroupId: "my group",
        startingPositionTimestampMs: 1002,
      },
      tags: new Map([["team", "a"]]),
    });
  });

  it("passes a defect of the filter compiler on as it is", () => {
    const check = () => {
      throw new TypeError("defect");
    };
    const input = { ...LEAST, filterPatterns: ["{}"] };
    expect(() => readCreateMapping(input, { ...RULES, check })).toThrow(TypeError);
  });
});

describe("starting position", () => {
  const at = (startingPosition: string | undefined, s: bigint, nanos = 0): CreateMappingInput => ({
    ...(startingPosition !== undefined && { startingPosition }),
    startingPositionTimestamp: { seconds: s, nanos },
  });
  const FIELD = "starting_position_timestamp";

  it.each([
    ["LATEST alone", { startingPosition: "LATEST" }, []],
    ["AT_TIMESTAMP without time", { startingPosition: "AT_TIMESTAMP" }, [FIELD]],
    ["a time with LATEST", at("LATEST", 1n), [FIELD]],
    ["a time without position", at(undefined, 1n), [FIELD]],
    ["1970", at("AT_TIMESTAMP", 0n), []],
    ["a time before 1970", at("AT_TIMESTAMP", -1n), [FIELD]],
    ["now", at("AT_TIMESTAMP", 1_700_000_000n, 500_999_999), []],
    ["1 ms ahead", at("AT_TIMESTAMP", 1_700_000_000n, 501_000_000), [FIELD]],
    ["the end of numbers", at("AT_TIMESTAMP", 2n ** 63n - 1n), [FIELD]],
    ["no number", at("AT_TIMESTAMP", 1n, Number.NaN), [FIELD]],
  ] as [string, CreateMappingInput, string[]][])("%s", (_, changes, fields) => {
    expect(refusedCreate(changes)?.fields ?? []).toEqual(fields);
  });
});

describe("strict mode (PENSTOCK_AWS_STRICT)", () => {
  const sourceAccess = [{ type: "BASIC_AUTH", uri: "file:s" }];

  it.each([
    ["MaximumRetryAttempts", { maximumRetryAttempts: 3 }],
    ["MaximumRecordAgeInSeconds", { maximumRecordAge: { seconds: 60n, nanos: 0 } }],
    ["BisectBatchOnFunctionError", { bisectBatchOnFunctionError: true }],
    ["DestinationConfig", { onFailureDestination: "kafka://dead" }],
    ["LoggingConfig", { systemLogLevel: "INFO" }],
  ] as [string, CreateMappingInput][])("allows %s in provisioned mode only", (name, changes) => {
    const input = { ...changes, sourceAccess };
    expect(refusedCreate(input, STRICT)?.message).toBe(
      `Unsupported ${name} parameter for given event source mapping type.`,
    );
    expect(
      refusedCreate({ ...input, provisionedPollers: { minimumPollers: 1 } }, STRICT),
    ).toBeNull();
    expect(refusedCreate(input)).toBeNull();
  });

  it("requires source access configurations, as AWS did", () => {
    expect(refusedCreate({}, STRICT)?.message).toBe(
      "Required 'sourceAccessConfigurations' parameter is missing.",
    );
    expect(refusedCreate({ sourceAccess: [] }, STRICT)).toBeNull();
    expect(refusedCreate({})).toBeNull();
  });

  it("refuses a topic of one character, which AWS's pattern does not match", () => {
    expect(refusedCreate({ topics: ["t"], sourceAccess }, STRICT)?.fields).toEqual(["topics[0]"]);
    expect(stored({ topics: ["t"] }).topic).toBe("t");
  });

  it("lets other destinations be on demand", () => {
    const onFailureDestination = "arn:aws:s3:::bucket";
    expect(refusedCreate({ onFailureDestination, sourceAccess }, STRICT)).toBeNull();
  });
});
