import { describe, expect, it } from "vitest";
import type { MappingSettings } from "../mapping.ts";
import { MUTABLE_DEFAULTS } from "../mapping-defaults.ts";
import {
  KNOWN_KEY,
  RULES,
  refusedUpdate,
  STRICT,
  stored,
  update,
} from "../testing/mapping-requests.ts";
import type { MappingInput } from "./mapping-input.ts";
import { readUpdateMapping } from "./update-mapping.ts";

/** A mapping with every changeable setting set to something else than its default. */
const FULL = stored({
  batchSize: 7,
  maximumBatchingWindow: { seconds: 2n, nanos: 0 },
  filterPatterns: ["{}"],
  enabled: false,
  provisionedPollers: { minimumPollers: 2, maximumPollers: 9, pollerGroupName: "g" },
  sourceAccess: [{ type: "BASIC_AUTH", uri: "file:s" }],
  kmsKeyArn: KNOWN_KEY,
  onFailureDestination: "kafka://dead",
  maximumRetryAttempts: 3,
  maximumRecordAge: { seconds: 60n, nanos: 0 },
  bisectBatchOnFunctionError: true,
  metrics: ["EventCount"],
  systemLogLevel: "INFO",
});
const noRules = (input: MappingInput, mask: readonly string[] | null = null) =>
  readUpdateMapping(input, mask, RULES);

describe("readUpdateMapping without a mask", () => {
  it("changes nothing that was not sent", () => {
    expect(noRules({})).toEqual({});
    expect(update({}, { before: FULL })).toEqual(FULL);
    expect(update({ batchSize: 8 }, { before: FULL })).toEqual({ ...FULL, batchSize: 8 });
  });

  /** AWS's sentinels, and what they clear; null = a member of nothing to clear. */
  it.each([
    ["FilterCriteria {}", { filterPatterns: [] }, { filterPatterns: [] }],
    ["Destination ''", { onFailureDestination: "" }, { onFailureDestination: null }],
    ["KMSKeyArn ''", { kmsKeyArn: "" }, { kmsKeyArn: null }],
    ["Metrics []", { metrics: [] }, { metrics: [] }],
    ["ProvisionedPollerConfig {}", { provisionedPollers: {} }, { provisionedPollers: null }],
    [
      "PollerGroupName ''",
      { provisionedPollers: { pollerGroupName: "" } },
      { provisionedPollers: { minimumPollers: 2, maximumPollers: 9, pollerGroupName: null } },
    ],
    ["LoggingConfig {}", { systemLogLevel: null }, { systemLogLevel: null }],
    ["SourceAccessConfigurations []", { sourceAccess: [] }, { sourceAccess: [] }],
    ["FunctionResponseTypes []", { functionResponseTypes: [] }, {}],
    ["SchemaRegistryConfig {}", { kafkaConfig: { schemaRegistry: "empty" } }, {}],
    ["the Kafka block {}", { kafkaConfig: {} }, {}],
  ] as [string, MappingInput, Partial<MappingSettings>][])("clears by %s", (_, input, changes) => {
    expect(update(input, { before: FULL })).toEqual({ ...FULL, ...changes });
  });

  it("keeps members of ProvisionedPollerConfig that were not sent", () => {
    const after = (input: MappingInput, before = FULL) =>
      update(input, { before }).provisionedPollers;
    expect(after({ provisionedPollers: { minimumPollers: 4 } })).toEqual({
      minimumPollers: 4,
      maximumPollers: 9,
      pollerGroupName: "g",
    });
    expect(after({ provisionedPollers: { minimumPollers: 4 } }, stored())).toEqual({
      minimumPollers: 4,
      maximumPollers: null,
      pollerGroupName: null,
    });
    expect(after({ provisionedPollers: { pollerGroupName: "" } }, stored())).toBeNull();
  });

  it.each([
    ["consumerGroupId", "same"],
    ["consumptionMode", "Stream"],
  ])("refuses %s, even if it is unchanged, in AWS's words", (member, value) => {
    const before = stored({ kafkaConfig: { consumerGroupId: "same" } });
    expect(refusedUpdate({ kafkaConfig: { [member]: value } }, { before })).toMatchObject({
      type: "InvalidParameterValueException",
      message: `Unsupported 'selfManagedKafkaEventSourceConfig.${member}' parameter`,
    });
  });

  it.each([
    { hasOnSuccess: true },
    { kafkaConfig: { schemaRegistry: "set" } },
    { functionResponseTypes: ["ReportBatchItemFailures"] },
    { otherMembers: ["ParallelizationFactor"] },
  ] as MappingInput[])("refuses %j as create does", (input) => {
    expect(refusedUpdate(input)?.message).toMatch(/^Unsupported /);
  });
});

describe("readUpdateMapping with a mask", () => {
  it("takes only what the mask names", () => {
    const input = { batchSize: 5, enabled: false, hasOnSuccess: true };
    expect(noRules(input, ["enabled"])).toEqual({ isEnabled: false });
    expect(noRules(input, [])).toEqual({});
  });

  it("sets what it names and the message lacks back to the default", () => {
    const paths = [
      "batch_size",
      "maximum_batching_window",
      "filter_criteria",
      "provisioned_poller_config",
      "enabled",
      "source_access_configurations",
      "kms_key_arn",
      "destination_config.on_failure",
      "maximum_retry_attempts",
      "maximum_record_age",
      "bisect_batch_on_function_error",
      "function_response_types",
      "metrics_config",
      "logging_config.system_log_level",
    ];
    expect(noRules({}, paths)).toEqual(MUTABLE_DEFAULTS);
    expect(noRules({ functionName: "f" }, ["*"])).toEqual({
      ...MUTABLE_DEFAULTS,
      functionRef: { name: "f", qualifier: "" },
    });
  });

  it("replaces ProvisionedPollerConfig as a whole, or by its members", () => {
    const input = { provisionedPollers: { minimumPollers: 4 } };
    const after = (mask: string[]) => update(input, { before: FULL, mask }).provisionedPollers;
    const none = { maximumPollers: null, pollerGroupName: null };
    expect(after(["provisioned_poller_config"])).toEqual({ minimumPollers: 4, ...none });
    expect(after(["provisioned_poller_config.maximum_pollers"])).toEqual({
      minimumPollers: 2,
      maximumPollers: null,
      pollerGroupName: "g",
    });
    expect(after(["provisioned_poller_config.minimum_pollers"])?.maximumPollers).toBe(9);
  });

  it.each([
    "topics",
    "self_managed_event_source",
    "self_managed_event_source.endpoints.kafka_bootstrap_servers",
    "self_managed_kafka_event_source_config.consumer_group_id",
    "self_managed_kafka_event_source_config.consumption_mode",
    "starting_position",
    "starting_position_timestamp",
    "event_source_arn",
    "tags",
  ])("refuses the create-only field %s", (path) => {
    expect(() => noRules({ batchSize: 1 }, ["batch_size", path])).toThrow(
      /can only be set when the mapping is created/,
    );
  });

  it("looks into the Kafka block that it names", () => {
    const mask = ["self_managed_kafka_event_source_config"];
    expect(noRules({ kafkaConfig: { schemaRegistry: "empty" } }, mask)).toEqual({});
    const refused = refusedUpdate({ kafkaConfig: { consumerGroupId: "g" } }, { mask });
    expect(refused?.fields).toEqual(["self_managed_kafka_event_source_config.consumer_group_id"]);
  });

  it.each(["nonsense", "__proto__", "constructor", "", "batch_size.x"])(
    "S-16: refuses the unknown path %j",
    (path) => {
      expect(refusedUpdate({}, { mask: [path] })?.fields).toEqual(["update_mask"]);
    },
  );

  it("I-14: takes 100 paths, not 101", () => {
    expect(noRules({}, Array(100).fill("state"))).toEqual({});
    expect(refusedUpdate({}, { mask: Array(101).fill("state") })?.fields).toEqual(["update_mask"]);
  });

  it("ignores fields that only the service sets, and those about the request", () => {
    expect(noRules({}, ["state", "revision", "partitions.lag", "uuid", "etag"])).toEqual({});
  });

  it("has no default for the function", () => {
    expect(refusedUpdate({}, { mask: ["function_name"] })?.fields).toEqual(["function_name"]);
    const empty = refusedUpdate({ functionName: "" }, { mask: ["function_name"] });
    expect(empty?.fields).toEqual(["function_name"]);
  });
});

describe("applyChanges", () => {
  it("checks changed settings together with stored ones", () => {
    const fewer = { provisionedPollers: { maximumPollers: 1 } };
    expect(refusedUpdate(fewer, { before: FULL })).toMatchObject({
      fields: ["provisioned_poller_config.maximum_pollers"],
      message:
        "The 'provisionedPollerConfig.maximumPollers' parameter must be greater than or equal to 'provisionedPollerConfig.minimumPollers'.",
    });
    expect(refusedUpdate({ onFailureDestination: "kafka://orders" })?.fields).toEqual([
      "destination_config.on_failure.destination",
    ]);
  });

  it("keeps a key that the installation has no more, while nobody sends it again", () => {
    const rules = { ...RULES, kmsKeyArns: new Set<string>() };
    expect(update({ batchSize: 8 }, { before: FULL, rules }).kmsKeyArn).toBe(KNOWN_KEY);
    expect(refusedUpdate({ kmsKeyArn: KNOWN_KEY }, { before: FULL, rules })?.fields).toEqual([
      "kms_key_arn",
    ]);
  });

  it("strict: does not leave provisioned mode under settings that need it", () => {
    const leave = { provisionedPollers: {} };
    expect(refusedUpdate(leave, { before: FULL, rules: STRICT })?.fields).toHaveLength(5);
    expect(refusedUpdate(leave, { before: FULL })).toBeNull();
  });

  it("keeps what else the stored mapping carries", () => {
    const before = { ...FULL, id: "u" };
    expect(update({ enabled: true }, { before })).toEqual({ ...before, isEnabled: true });
  });
});
