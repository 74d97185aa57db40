import { describe, expect, it } from "vitest";
import { PenstockError } from "../errors/penstock-error.ts";
import { readCreateMapping } from "./create-mapping.ts";
import type { CreateMappingInput, MappingRules } from "./mapping-input.ts";

const NOW_MS = 1_700_000_000_500;
const check = (patterns: readonly string[]) => {
  if (patterns.includes("bad")) throw new PenstockError("invalidArgument", "whatever it says");
};
const rules: MappingRules = { isStrict: false, kmsKeyArns: new Set(), nowMs: NOW_MS, check };
const good: CreateMappingInput = {
  functionName: "orders",
  bootstrapServers: ["kafka:9092"],
  topics: ["orders"],
};

function problems(changes: Partial<CreateMappingInput>): string[] {
  try {
    readCreateMapping({ ...good, ...changes }, rules);
    return [];
  } catch (error) {
    if (!(error instanceof PenstockError)) throw error;
    expect(error.code).toBe("invalidArgument");
    return error.violations.map((violation) => violation.field);
  }
}

const seconds = (value: number, nanos = 0) => ({ seconds: BigInt(value), nanos });
const SERVERS = "self_managed_event_source.endpoints.kafka_bootstrap_servers";
const GROUP = "self_managed_kafka_event_source_config.consumer_group_id";
const TIMESTAMP = "starting_position_timestamp";
const label = "a".repeat(63);
const longServer = (length: number) => `${"a.".repeat(200).slice(0, length - 6)}a:9092`;

/** I-14: each limit below, at and above; empty = accepted. */
const TABLE: [string, Partial<CreateMappingInput>, string[]][] = [
  ["the least", {}, []],
  ["a name of 64", { functionName: "f".repeat(64) }, []],
  ["a name of 65", { functionName: "f".repeat(65) }, ["function_name"]],
  ["an empty name", { functionName: "" }, ["function_name"]],
  ["a name with a blank", { functionName: "a b" }, ["function_name"]],
  ["a partial ARN", { functionName: "123456789012:function:f" }, []],
  ["an ARN", { functionName: "arn:aws:lambda:us-east-1:123456789012:function:f:live" }, []],
  ["an ARN of another service", { functionName: "arn:aws:sqs:us-east-1:1:f" }, ["function_name"]],
  ["no server", { bootstrapServers: [] }, [SERVERS]],
  ["10 servers", { bootstrapServers: Array(10).fill("kafka:9092") }, []],
  ["11 servers", { bootstrapServers: Array(11).fill("kafka:9092") }, [SERVERS]],
  ["a server of 300", { bootstrapServers: [longServer(300)] }, []],
  ["a server of 301", { bootstrapServers: [`a${longServer(300)}`] }, [`${SERVERS}[0]`]],
  ["a server with labels", { bootstrapServers: [`b-1.${label}.x:9092`] }, []],
  ["a server without port", { bootstrapServers: ["kafka"] }, [`${SERVERS}[0]`]],
  ["port 0", { bootstrapServers: ["kafka:0"] }, [`${SERVERS}[0]`]],
  ["port 1", { bootstrapServers: ["kafka:1"] }, []],
  ["port 65535", { bootstrapServers: ["kafka:65535"] }, []],
  ["port 65536", { bootstrapServers: ["kafka:65536"] }, [`${SERVERS}[0]`]],
  ["a label that ends with -", { bootstrapServers: ["ok:1", "kafka-:1"] }, [`${SERVERS}[1]`]],
  ["a URL for a server", { bootstrapServers: ["http://kafka:1"] }, [`${SERVERS}[0]`]],
  ["no topic", { topics: [] }, ["topics"]],
  ["2 topics", { topics: ["a", "b"] }, ["topics"]],
  ["a topic of 1", { topics: ["t"] }, []],
  ["a topic of 249", { topics: ["t".repeat(249)] }, []],
  ["a topic of 250", { topics: ["t".repeat(250)] }, ["topics[0]"]],
  ["an empty topic", { topics: [""] }, ["topics[0]"]],
  ["a topic that begins with a dot", { topics: [".t"] }, ["topics[0]"]],
  ["a topic with a slash", { topics: ["a/b"] }, ["topics[0]"]],
  ["S-16: topic __proto__", { topics: ["__proto__"] }, []],
  ["an empty group", { kafkaConfig: { consumerGroupId: "" } }, [GROUP]],
  ["a group of 200", { kafkaConfig: { consumerGroupId: "g".repeat(200) } }, []],
  ["a group of 201", { kafkaConfig: { consumerGroupId: "g".repeat(201) } }, [GROUP]],
  ["a group of all characters", { kafkaConfig: { consumerGroupId: "aZ0-/*:_+=.@" } }, []],
  ["a group with #", { kafkaConfig: { consumerGroupId: "a#b" } }, [GROUP]],
  ["batch size 0", { batchSize: 0 }, ["batch_size"]],
  ["batch size 1", { batchSize: 1 }, []],
  ["batch size 10000", { batchSize: 10_000 }, []],
  ["batch size 10001", { batchSize: 10_001 }, ["batch_size"]],
  ["window 0", { maximumBatchingWindow: seconds(0) }, []],
  ["window 1 ms", { maximumBatchingWindow: seconds(0, 1_000_000) }, []],
  ["window 0.5 ms", { maximumBatchingWindow: seconds(0, 500_000) }, ["maximum_batching_window"]],
  ["window 300 s", { maximumBatchingWindow: seconds(300) }, []],
  [
    "window 300.001 s",
    { maximumBatchingWindow: seconds(300, 1_000_000) },
    ["maximum_batching_window"],
  ],
  ["window -1 s", { maximumBatchingWindow: seconds(-1) }, ["maximum_batching_window"]],
  [
    "a window of two signs",
    { maximumBatchingWindow: seconds(1, -1_000_000) },
    ["maximum_batching_window"],
  ],
  ["an unknown position", { startingPosition: "9" }, ["starting_position"]],
  ["LATEST", { startingPosition: "LATEST" }, []],
  ["AT_TIMESTAMP without time", { startingPosition: "AT_TIMESTAMP" }, [TIMESTAMP]],
  ["a time with LATEST", at("LATEST", 1), [TIMESTAMP]],
  ["a time without position", { startingPositionTimestamp: seconds(1) }, [TIMESTAMP]],
  ["a time of 1970", at("AT_TIMESTAMP", 0), []],
  ["a time before 1970", at("AT_TIMESTAMP", -1), [TIMESTAMP]],
  ["a time that is now", at("AT_TIMESTAMP", 1_700_000_000, 500_999_999), []],
  ["a time 1 ms ahead", at("AT_TIMESTAMP", 1_700_000_000, 501_000_000), [TIMESTAMP]],
  ["5 filters", { filterPatterns: Array(5).fill("{}") }, []],
  ["6 filters", { filterPatterns: Array(6).fill("{}") }, ["filter_criteria.filters"]],
  ["a pattern of 4096", { filterPatterns: ["p".repeat(4096)] }, []],
  [
    "a pattern of 4097",
    { filterPatterns: ["p".repeat(4097)] },
    ["filter_criteria.filters[0].pattern"],
  ],
  ["a bad pattern", { filterPatterns: ["{}", "bad"] }, ["filter_criteria.filters[1].pattern"]],
  [
    "0 pollers",
    { provisionedPollers: { minimumPollers: 0 } },
    ["provisioned_poller_config.minimum_pollers"],
  ],
  ["1 poller", { provisionedPollers: { minimumPollers: 1 } }, []],
  ["200 pollers", { provisionedPollers: { minimumPollers: 200 } }, []],
  [
    "201 pollers",
    { provisionedPollers: { minimumPollers: 201 } },
    ["provisioned_poller_config.minimum_pollers"],
  ],
];

function at(startingPosition: "LATEST" | "AT_TIMESTAMP", s: number, nanos = 0) {
  return { startingPosition, startingPositionTimestamp: seconds(s, nanos) };
}

describe("readCreateMapping", () => {
  it.each(TABLE)("I-14: %s", (_, changes, fields) => {
    expect(problems(changes)).toEqual(fields);
  });

  it("requires a function", () => {
    const { functionName: _, ...rest } = good;
    expect(() => readCreateMapping(rest, rules)).toThrow("function_name is required.");
  });

  it("reports everything that is wrong at once", () => {
    expect(problems({ topics: [], batchSize: 0, bootstrapServers: ["x"] })).toHaveLength(3);
  });

  it("speaks AWS's words for a bad filter and for no source", () => {
    const message = (changes: Partial<CreateMappingInput>) => {
      try {
        readCreateMapping({ ...good, ...changes }, rules);
      } catch (error) {
        return error instanceof Error ? error.message : "";
      }
      return "";
    };
    expect(message({ filterPatterns: ["bad"] })).toBe("Invalid filter pattern definition.");
    expect(message({ bootstrapServers: [] })).toBe("Unrecognized event source.");
  });

  it("fills in the defaults, and leaves unset what AWS does not echo", () => {
    expect(readCreateMapping(good, rules).settings).toEqual({
      functionRef: { name: "orders", qualifier: "" },
      bootstrapServers: ["kafka:9092"],
      topic: "orders",
      consumerGroupId: null,
      batchSize: 100,
      batchingWindowMs: null,
      filterPatterns: [],
      provisionedPollers: null,
      sourceAccess: [],
      kmsKeyArn: null,
      onFailureDestination: null,
      maximumRetryAttempts: null,
      maximumRecordAgeSeconds: null,
      bisectBatchOnFunctionError: null,
      metrics: [],
      systemLogLevel: null,
      isEnabled: true,
      startingPosition: "TRIM_HORIZON",
      startingPositionTimestampMs: null,
    });
  });

  it("passes a defect of the filter compiler on as it is", () => {
    const broken = () => {
      throw new TypeError("defect");
    };
    const input = { ...good, filterPatterns: ["{}"] };
    expect(() => readCreateMapping(input, { ...rules, check: broken })).toThrow(TypeError);
  });
});
