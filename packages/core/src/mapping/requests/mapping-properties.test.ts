import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PenstockError } from "../../errors/penstock-error.ts";
import { compileFilter } from "../../filter/compile-filter.ts";
import { awsError } from "../constraints/aws-error.ts";
import { parseMappingArn, readMappingUuid } from "../mapping-names.ts";
import { readTagKeys, readTags } from "../mapping-tags.ts";
import { areEqualSettings, describeSettings, settingsNotInEffect } from "../settings-difference.ts";
import { KNOWN_KEY, LEAST, RULES, STRICT } from "../testing/mapping-requests.ts";
import { readCreateMapping } from "./create-mapping.ts";
import { applyChanges } from "./mapping-changes.ts";
import type { CreateMappingInput, MappingInput } from "./mapping-input.ts";
import { readUpdateMapping } from "./update-mapping.ts";

/** The longest message of a refusal: what travels in a header of gRPC. */
const MESSAGE_LENGTH_MAX = 8_000;

const oneOf = fc.constantFrom<string[]>;
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ maxLength: 300 }),
  oneOf("", "__proto__", "a", "kafka:9092", "\ud800", "a\0b", "kafka://orders", "arn:aws:s3:::b"),
  fc.constant("x".repeat(20_000)),
);
const count = fc.oneof(fc.integer({ min: -2, max: 300 }), fc.double(), fc.integer());
const time = fc.record({
  seconds: fc.oneof(fc.bigInt({ min: -2n, max: 700_000n }), fc.bigInt()),
  nanos: fc.oneof(oneOf("0", "1000000", "500000000").map(Number), fc.double(), fc.integer()),
});
const sourceType = fc.oneof(
  text,
  oneOf("BASIC_AUTH", "VPC_SUBNET", "OAUTHBEARER_AUTH", "OAUTHBEARER_SCOPE", "IAM_AUTH"),
);
const list = <T>(item: fc.Arbitrary<T>) => fc.array(item, { maxLength: 30 });

const common = {
  functionName: fc.oneof(text, oneOf("f", "f:live", "123456789012:function:f")),
  batchSize: count,
  maximumBatchingWindow: time,
  filterPatterns: list(fc.oneof(text, fc.constant(null), oneOf("{}", '{"value":["a"]}'))),
  enabled: fc.boolean(),
  provisionedPollers: fc.record(
    { minimumPollers: count, maximumPollers: count, pollerGroupName: text },
    { requiredKeys: [] },
  ),
  sourceAccess: list(fc.record({ type: sourceType, uri: text }, { requiredKeys: ["type"] })),
  kmsKeyArn: fc.oneof(text, fc.constant(KNOWN_KEY)),
  onFailureDestination: text,
  hasOnSuccess: fc.boolean(),
  maximumRetryAttempts: count,
  maximumRecordAge: time,
  bisectBatchOnFunctionError: fc.boolean(),
  functionResponseTypes: list(text),
  metrics: list(fc.oneof(text, oneOf("EventCount", "ErrorCount"))),
  systemLogLevel: fc.oneof(text, fc.constant(null), oneOf("DEBUG")),
  otherMembers: list(text),
};
const kafka = {
  consumerGroupId: text,
  schemaRegistry: fc.constantFrom<"empty" | "set">("empty", "set"),
  consumptionMode: fc.oneof(text, oneOf("Stream", "Queue")),
};
const anyUpdate: fc.Arbitrary<MappingInput> = fc.record(
  { ...common, kafkaConfig: fc.record(kafka, { requiredKeys: [] }) },
  { requiredKeys: [] },
);
const anyCreate: fc.Arbitrary<CreateMappingInput> = fc.record(
  {
    ...common,
    kafkaConfig: fc.record(kafka, { requiredKeys: [] }),
    bootstrapServers: list(text),
    unknownEndpointTypes: list(text),
    topics: list(text),
    startingPosition: fc.oneof(text, oneOf("LATEST", "AT_TIMESTAMP")),
    startingPositionTimestamp: time,
    tags: fc.dictionary(text, text),
    eventSourceArn: text,
  },
  { requiredKeys: [] },
);

/** What is always accepted in a request that both can make. */
const goodUpdate: fc.Arbitrary<MappingInput> = fc.record(
  {
    functionName: oneOf("f", "g:1"),
    batchSize: fc.integer({ min: 1, max: 10_000 }),
    maximumBatchingWindow: fc.record({
      seconds: fc.bigInt({ min: 0n, max: 299n }),
      nanos: fc.integer({ min: 0, max: 999 }).map((ms) => ms * 1_000_000),
    }),
    filterPatterns: fc.array(oneOf("{}", '{"value":["a"]}'), { maxLength: 5 }),
    enabled: fc.boolean(),
    provisionedPollers: fc.record({
      minimumPollers: fc.integer({ min: 1, max: 100 }),
      maximumPollers: fc.integer({ min: 100, max: 2000 }),
      pollerGroupName: oneOf("", "g"),
    }),
    sourceAccess: fc.constantFrom([], [{ type: "BASIC_AUTH", uri: "file:s" }]),
    kmsKeyArn: oneOf("", KNOWN_KEY),
    onFailureDestination: oneOf("", "kafka://dead", "arn:aws:s3:::b"),
    maximumRetryAttempts: fc.integer({ min: -1, max: 10_000 }),
    maximumRecordAge: fc.constantFrom(-1n, 60n, 604_800n).map((s) => ({ seconds: s, nanos: 0 })),
    bisectBatchOnFunctionError: fc.boolean(),
    metrics: fc.uniqueArray(oneOf("EventCount", "ErrorCount", "KafkaMetrics")),
    systemLogLevel: fc.option(oneOf("DEBUG", "INFO", "WARN")),
  },
  { requiredKeys: [] },
);

/** The result, or a refusal that says something, briefly, in both ways. */
function judged<T>(act: () => T): T | null {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof PenstockError)) throw error;
    expect(["invalidArgument", "notFound"]).toContain(error.code);
    expect(error.message.length).toBeLessThan(MESSAGE_LENGTH_MAX);
    expect(error.message.isWellFormed()).toBe(true);
    expect(awsError(error).message.isWellFormed()).toBe(true);
    return null;
  }
}

describe("the mapping model", () => {
  it("I-14: judges any create, and describes what it accepts", () => {
    fc.assert(
      fc.property(anyCreate, fc.boolean(), (input, isLeast) => {
        const sent = isLeast ? { ...input, ...LEAST } : input;
        const rules = { ...RULES, check: compileFilter };
        const read = judged(() => readCreateMapping(sent, rules));
        if (read === null) return;
        expect(JSON.parse(JSON.stringify(describeSettings(read.settings)))).toBeDefined();
        expect(settingsNotInEffect(read.settings).length).toBeLessThan(9);
      }),
    );
  });

  it("I-14: judges any update, with any mask", () => {
    const mask = fc.option(list(fc.oneof(text, oneOf("*", "batch_size", "metrics_config"))));
    const { settings } = readCreateMapping(LEAST, RULES);
    fc.assert(
      fc.property(anyUpdate, mask, fc.constantFrom(RULES, STRICT), (input, paths, rules) => {
        judged(() => applyChanges(settings, readUpdateMapping(input, paths, rules), rules));
      }),
    );
  });

  it("I-14: judges any name, ARN and tags", () => {
    const scope = { region: "us-east-1", accountId: "000000000000" };
    fc.assert(
      fc.property(text, fc.dictionary(text, text), list(text), (name, tags, keys) => {
        judged(() => readMappingUuid(name));
        judged(() => parseMappingArn(name, scope));
        judged(() => readTags(tags));
        judged(() => readTagKeys(keys));
      }),
    );
  });

  it("I-17: an update means what the same settings at create mean", () => {
    fc.assert(
      fc.property(goodUpdate, goodUpdate, (before, changes) => {
        const created = readCreateMapping({ ...LEAST, ...before }, RULES).settings;
        const after = applyChanges(created, readUpdateMapping(changes, null, RULES), RULES);
        const both = readCreateMapping({ ...LEAST, ...before, ...changes }, RULES).settings;
        expect(after).toEqual(both);
      }),
    );
  });

  it("I-17: an update that is repeated changes nothing more", () => {
    fc.assert(
      fc.property(goodUpdate, goodUpdate, (before, changes) => {
        const created = readCreateMapping({ ...LEAST, ...before }, RULES).settings;
        const apply = (settings: typeof created) =>
          applyChanges(settings, readUpdateMapping(changes, null, RULES), RULES);
        const once = apply(created);
        expect(areEqualSettings(once, apply(once))).toBe(true);
      }),
    );
  });
});
