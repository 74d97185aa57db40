import { describe, expect, it } from "vitest";
import { PenstockError } from "../errors/penstock-error.ts";
import { readUpdateMapping } from "./update-mapping.ts";

const rules = { isStrict: false, kmsKeyArns: new Set<string>(), nowMs: 0, check: () => {} };

function fieldsOf(act: () => unknown): string[] {
  try {
    act();
  } catch (error) {
    if (error instanceof PenstockError) return error.violations.map(({ field }) => field);
    throw error;
  }
  return [];
}

describe("readUpdateMapping", () => {
  it("takes the fields that were sent when there is no mask", () => {
    expect(readUpdateMapping({ batchSize: 5, enabled: false }, null, rules)).toEqual({
      batchSize: 5,
      isEnabled: false,
    });
    expect(readUpdateMapping({}, null, rules)).toEqual({});
  });

  it("takes only what the mask names", () => {
    const input = { batchSize: 5, enabled: false };
    expect(readUpdateMapping(input, ["enabled"], rules)).toEqual({ isEnabled: false });
    expect(readUpdateMapping(input, [], rules)).toEqual({});
  });

  it("sets what the mask names and the message lacks back to its default", () => {
    const paths = [
      "batch_size",
      "maximum_batching_window",
      "filter_criteria",
      "provisioned_poller_config",
      "enabled",
    ];
    const defaults = {
      batchSize: 100,
      batchingWindowMs: null,
      filterPatterns: [],
      provisionedPollers: null,
      isEnabled: true,
    };
    expect(readUpdateMapping({}, paths, rules)).toEqual(defaults);
    expect(readUpdateMapping({ functionName: "f" }, ["*"], rules)).toEqual({
      ...defaults,
      functionRef: { name: "f", qualifier: "" },
    });
  });

  it("treats empty messages as removals, with a mask and without", () => {
    const input = { filterPatterns: [], provisionedPollers: {} };
    const removed = { filterPatterns: [], provisionedPollers: null };
    expect(readUpdateMapping(input, null, rules)).toEqual(removed);
    const paths = ["filter_criteria.filters", "provisioned_poller_config.minimum_pollers"];
    expect(readUpdateMapping(input, paths, rules)).toEqual(removed);
  });

  it.each([
    "topics",
    "self_managed_event_source",
    "self_managed_event_source.endpoints.kafka_bootstrap_servers",
    "self_managed_kafka_event_source_config",
    "self_managed_kafka_event_source_config.consumer_group_id",
    "starting_position",
    "starting_position_timestamp",
  ])("refuses the create-only field %s", (path) => {
    expect(() => readUpdateMapping({ batchSize: 1 }, ["batch_size", path], rules)).toThrow(
      /can only be set when the mapping is created/,
    );
  });

  it.each(["nonsense", "__proto__", "constructor", "", "batch_size.x"])(
    "S-16: refuses the unknown path %j",
    (path) => {
      expect(fieldsOf(() => readUpdateMapping({}, [path], rules))).toEqual(["update_mask"]);
    },
  );

  it("ignores fields that only the service sets", () => {
    expect(readUpdateMapping({}, ["state", "revision", "partitions.lag", "uuid"], rules)).toEqual(
      {},
    );
  });

  it("has no default for the function", () => {
    expect(fieldsOf(() => readUpdateMapping({}, ["function_name"], rules))).toEqual([
      "function_name",
    ]);
    expect(
      fieldsOf(() => readUpdateMapping({ functionName: "" }, ["function_name"], rules)),
    ).toEqual(["function_name"]);
  });

  it.each([
    [{ batchSize: 0 }, "batch_size"],
    [{ batchSize: 10_001 }, "batch_size"],
    [{ maximumBatchingWindow: { seconds: 301n, nanos: 0 } }, "maximum_batching_window"],
    [{ provisionedPollers: { minimumPollers: 201 } }, "provisioned_poller_config.minimum_pollers"],
    [{ filterPatterns: ["p".repeat(4097)] }, "filter_criteria.filters[0].pattern"],
    [{ functionName: "a b" }, "function_name"],
  ])("I-14: keeps the limits of create (%#)", (input, field) => {
    expect(fieldsOf(() => readUpdateMapping(input, null, rules))).toEqual([field]);
  });
});
