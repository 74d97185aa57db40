import { describe, expect, it } from "vitest";
import { LEAST, RULES, refusedCreate, refusedUpdate } from "../testing/mapping-requests.ts";
import type { CreateMappingInput, MappingInput } from "./mapping-input.ts";

/** I-14: every limit of AWS's API model (botocore `lambda` 2015-03-31), below, at and above, with its words. Numbers are those of the model, not the code's. */

interface Limit {
  readonly name: string;
  /** Path of the proto that a violation names. */
  readonly field: string;
  /** Member that AWS names; null = it has no such constraint and answers with a rule of the service. */
  readonly member: string | null;
  readonly min: number;
  readonly max: number;
  readonly kind: "value" | "length";
  make(n: number): CreateMappingInput;
  /** Whether an update can say it too. */
  readonly isMutable: boolean;
  /** How AWS prints the value; default: the number, or the text. */
  value?(n: number): string;
}

const seconds = (value: number) => ({ seconds: BigInt(value), nanos: 0 });
const letters = (n: number) => "a".repeat(n);
const many = <T>(n: number, item: T) => Array<T>(n).fill(item);

const VALUES: readonly Limit[] = (
  [
    ["batch_size", "batchSize", 1, 10_000, (n) => ({ batchSize: n })],
    [
      "maximum_batching_window",
      "maximumBatchingWindowInSeconds",
      0,
      300,
      (n) => ({ maximumBatchingWindow: seconds(n) }),
    ],
    [
      "provisioned_poller_config.minimum_pollers",
      "provisionedPollerConfig.minimumPollers",
      1,
      200,
      (n) => ({ provisionedPollers: { minimumPollers: n } }),
    ],
    [
      "maximum_retry_attempts",
      "maximumRetryAttempts",
      -1,
      10_000,
      (n) => ({ maximumRetryAttempts: n }),
    ],
    [
      "maximum_record_age",
      "maximumRecordAgeInSeconds",
      -1,
      604_800,
      (n) => ({ maximumRecordAge: seconds(n) }),
    ],
  ] as [string, string, number, number, (n: number) => MappingInput][]
).map(([field, member, min, max, make]) => ({
  name: field,
  field,
  member,
  min,
  max,
  kind: "value",
  make,
  isMutable: true,
}));

const POLLER_GROUP = "provisioned_poller_config.poller_group_name";
const SERVERS = "self_managed_event_source.endpoints.kafka_bootstrap_servers";

const LENGTHS: readonly Limit[] = [
  length("function_name", "functionName", 1, 64, (n) => ({ functionName: letters(n) })),
  length(
    "self_managed_kafka_event_source_config.consumer_group_id",
    "selfManagedKafkaEventSourceConfig.consumerGroupId",
    1,
    200,
    (n) => ({ kafkaConfig: { consumerGroupId: letters(n) } }),
    { isMutable: false },
  ),
  length(
    "source_access_configurations[0].uri",
    "sourceAccessConfigurations.1.member.uRI",
    1,
    200,
    (n) => ({ sourceAccess: [{ type: "BASIC_AUTH", uri: letters(n) }] }),
    { value: () => "***" },
  ),
  length(
    "destination_config.on_failure.destination",
    "destinationConfig.onFailure.destination",
    0,
    350,
    (n) => ({ onFailureDestination: n === 0 ? "" : `arn:aws:s3:::${letters(n - 13)}` }),
    { value: (n) => `arn:aws:s3:::${letters(n - 13)}` },
  ),
  length(POLLER_GROUP, "provisionedPollerConfig.pollerGroupName", 0, 128, (n) => ({
    provisionedPollers: { pollerGroupName: letters(n) },
  })),
  length(
    "filter_criteria.filters[0].pattern",
    "filterCriteria.filters.1.member.pattern",
    0,
    4096,
    (n) => ({ filterPatterns: [letters(n)] }),
    { value: () => `${letters(512)}…` },
  ),
  length("topics", "topics", 1, 1, (n) => ({ topics: many(n, "t1") }), {
    isMutable: false,
    value: (n) => `[${many(n, "t1").join(", ")}]`,
  }),
  length(
    "metrics_config.metrics",
    "metricsConfig.metrics",
    0,
    3,
    (n) => ({
      metrics: ["EventCount", "ErrorCount", "KafkaMetrics", "EventCount"].slice(0, n),
    }),
    { value: () => "[EventCount, ErrorCount, KafkaMetrics, EventCount]" },
  ),
  length(
    "source_access_configurations",
    "sourceAccessConfigurations",
    0,
    23,
    (n) => ({ sourceAccess: many(n, { type: "VPC_SUBNET", uri: "subnet:s" }) }),
    { value: (n) => `[${many(n, "{…}").join(", ")}]` },
  ),
  // Limits that AWS's texts name otherwise, or that are quotas of the service.
  length("filter_criteria.filters", null, 0, 5, (n) => ({ filterPatterns: many(n, "{}") })),
  length("tags", null, 0, 50, (n) => ({ tags: Object.fromEntries(keys(n)) }), { isMutable: false }),
  length("provisioned_poller_config.maximum_pollers", null, 1, 2000, (n) => ({
    provisionedPollers: { maximumPollers: n },
  })),
];

function keys(n: number): [string, string][] {
  return Array.from({ length: n }, (_, index) => [`k${index}`, ""]);
}

function length(
  field: string,
  member: string | null,
  min: number,
  max: number,
  make: (n: number) => CreateMappingInput,
  { isMutable = true, value = letters as (n: number) => string } = {},
): Limit {
  return { name: field, field, member, min, max, kind: "length", make, isMutable, value };
}

const LIMITS = [...VALUES, ...LENGTHS];
const AT = LIMITS.flatMap((limit) => [limit.min, limit.max].map((n) => [limit.name, n, limit]));
const BEYOND = LIMITS.flatMap((limit) =>
  [limit.min - 1, limit.max + 1]
    .filter((n) => n >= 0 || limit.kind === "value")
    .map((n) => [limit.name, n, limit]),
);

describe("limits of AWS's API model", () => {
  it.each(AT as [string, number, Limit][])("I-14: %s takes %d", (_, n, limit) => {
    expect(refusedCreate(limit.make(n))).toBeNull();
    if (limit.isMutable) expect(refusedUpdate(limit.make(n))).toBeNull();
  });

  it.each(BEYOND as [string, number, Limit][])("I-14: %s refuses %d", (_, n, limit) => {
    const refused = refusedCreate(limit.make(n));
    expect(refused?.fields).toEqual([limit.field]);
    expect(refused?.descriptions[0]).toContain(limit.field);
    if (limit.member !== null) expect(refused).toMatchObject(awsTextOf(limit, limit.member, n));
    if (limit.isMutable) expect(refusedUpdate(limit.make(n))).toEqual(refused);
  });
});

function awsTextOf(limit: Limit, member: string, n: number) {
  const { kind, min, max } = limit;
  const value = kind === "value" ? String(n) : limit.value?.(n);
  const bound = n > max ? `less than or equal to ${max}` : `greater than or equal to ${min}`;
  return {
    type: "ValidationException",
    message: `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: Member must have ${kind} ${bound}`,
  };
}

describe("limits inside of lists and maps", () => {
  const host = (n: number) => `${"a.".repeat(200).slice(0, n - 6)}a:9092`;
  const topicWords =
    "Member must satisfy constraint: [Member must have length less than or equal to 249, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [^.]([a-zA-Z0-9\\-_.]+), Member must not be null]";

  it.each([
    ["a topic of 1", { topics: ["t"] }, null],
    ["a topic of 249", { topics: [letters(249)] }, null],
    ["a topic of 250", { topics: [letters(250)] }, "topics[0]"],
    ["a topic of 0", { topics: [""] }, "topics[0]"],
    ["10 servers", { bootstrapServers: many(10, "k:1") }, null],
    ["11 servers", { bootstrapServers: many(11, "k:1") }, SERVERS],
    ["0 servers", { bootstrapServers: [] }, SERVERS],
    ["a server of 300", { bootstrapServers: [host(300)] }, null],
    ["a server of 301", { bootstrapServers: [`a${host(300)}`] }, `${SERVERS}[0]`],
    ["a tag key of 128", { tags: { [letters(128)]: "" } }, null],
    ["a tag key of 129", { tags: { [letters(129)]: "" } }, "tags"],
    ["a tag key of 0", { tags: { "": "" } }, "tags"],
    ["a tag value of 256", { tags: { k: letters(256) } }, null],
    ["a tag value of 257", { tags: { k: letters(257) } }, "tags"],
    ["a reference of 256", { functionName: `f:${letters(254)}` }, null],
    ["a reference of 257", { functionName: `f:${letters(255)}` }, "function_name"],
  ] as [string, CreateMappingInput, string | null][])("I-14: %s", (_, changes, field) => {
    expect(refusedCreate(changes)?.fields ?? []).toEqual(field === null ? [] : [field]);
  });

  it("I-14: takes the longest key ARN that the model allows", () => {
    const arn = (n: number) => `arn:aws:kms:${letters(n - 12)}`;
    const rules = { ...RULES, kmsKeyArns: new Set([arn(10_000), arn(10_001)]) };
    expect(refusedCreate({ kmsKeyArn: arn(10_000) }, rules)).toBeNull();
    expect(refusedCreate({ kmsKeyArn: arn(10_001) }, rules)?.message).toMatch(
      /at 'kMSKeyArn' failed to satisfy constraint: Member must have length less than or equal to 10000$/,
    );
  });

  it("says all constraints of a list's members, as AWS does", () => {
    expect(refusedCreate({ topics: ["a/b"] })?.message).toBe(
      `1 validation error detected: Value '[a/b]' at 'topics' failed to satisfy constraint: ${topicWords}`,
    );
    expect(refusedCreate({ bootstrapServers: ["kafka"] })?.message).toMatch(
      /^1 validation error detected: Value '\{KAFKA_BOOTSTRAP_SERVERS=\[kafka\]\}' at 'selfManagedEventSource\.endpoints' failed to satisfy constraint: Map value must satisfy constraint: \[Member must have length less than or equal to 10, /,
    );
  });

  it.each([0, 1, 59])(
    "I-14: refuses a record age of %d s, which AWS's model would allow",
    (age) => {
      expect(refusedCreate({ maximumRecordAge: seconds(age) })).toMatchObject({
        type: "InvalidParameterValueException",
        fields: ["maximum_record_age"],
      });
    },
  );

  it("I-14: takes a record age of a minute, and none of a part of a second", () => {
    expect(refusedCreate({ maximumRecordAge: seconds(60) })).toBeNull();
    const half = { seconds: 60n, nanos: 500_000_000 };
    expect(refusedCreate({ maximumRecordAge: half })?.fields).toEqual(["maximum_record_age"]);
  });

  it("I-14: has Kafka's limit of pollers below that of AWS's model", () => {
    const maximum = (n: number) => refusedCreate({ provisionedPollers: { maximumPollers: n } });
    expect(maximum(2001)?.type).toBe("InvalidParameterValueException");
    expect(maximum(10_000)?.type).toBe("InvalidParameterValueException");
    expect(maximum(10_001)?.message).toMatch(/Member must have value less than or equal to 10000$/);
    expect(maximum(10_001)?.descriptions[0]).toContain("from 1 to 2000");
  });

  it("I-14: takes windows in whole milliseconds, which AWS can't say", () => {
    const window = (s: bigint, nanos: number) =>
      refusedCreate({ maximumBatchingWindow: { seconds: s, nanos } })?.fields ?? [];
    expect(window(0n, 1_000_000)).toEqual([]);
    expect(window(0n, 500_000)).toEqual(["maximum_batching_window"]);
    expect(window(300n, 1_000_000)).toEqual(["maximum_batching_window"]);
    expect(window(1n, -1_000_000)).toEqual(["maximum_batching_window"]);
  });

  it("counts the least that is accepted as accepted", () => {
    expect(refusedCreate(LEAST)).toBeNull();
  });
});
