import { describe, expect, it } from "vitest";
import type { MappingSettings } from "./mapping.ts";
import {
  areEqualSettings,
  changedSettings,
  describeSettings,
  settingsNotInEffect,
} from "./settings-difference.ts";
import { KNOWN_KEY, stored } from "./testing/mapping-requests.ts";

const settings = stored({ filterPatterns: ["{}"] });
const pollers = { minimumPollers: null, maximumPollers: null, pollerGroupName: null };

describe("changedSettings", () => {
  it.each([
    { functionRef: { name: "g", qualifier: "" } },
    { functionRef: { name: "orders", qualifier: "1" } },
    { batchSize: 2 },
    { batchingWindowMs: 0 },
    { filterPatterns: [] },
    { filterPatterns: ["{}", "{}"] },
    { filterPatterns: ['{"a":[1]}'] },
    { provisionedPollers: pollers },
    { isEnabled: false },
    { sourceAccess: [{ type: "BASIC_AUTH", uri: "file:s" }] },
    { kmsKeyArn: KNOWN_KEY },
    { onFailureDestination: "kafka://dead" },
    { maximumRetryAttempts: -1 },
    { maximumRecordAgeSeconds: -1 },
    { bisectBatchOnFunctionError: false },
    { metrics: ["EventCount"] },
    { systemLogLevel: "WARN" },
  ] as Partial<MappingSettings>[])("sees %j", (change) => {
    const after = { ...settings, ...change };
    expect(changedSettings(settings, after)).toEqual(Object.keys(change));
    expect(areEqualSettings(settings, after)).toBe(false);
    expect(areEqualSettings(after, structuredClone(after))).toBe(true);
  });

  it("does not look at the order of keys", () => {
    const access = [{ type: "BASIC_AUTH", uri: "u" }] as const;
    const other = [{ uri: "u", type: "BASIC_AUTH" }] as const;
    expect(
      areEqualSettings({ ...settings, sourceAccess: access }, { ...settings, sourceAccess: other }),
    ).toBe(true);
  });
});

describe("settingsNotInEffect", () => {
  it.each([
    [{ provisionedPollers: { ...pollers, minimumPollers: 2 } }, []],
    [
      { provisionedPollers: { ...pollers, maximumPollers: 2 } },
      ["provisioned_poller_config.maximum_pollers"],
    ],
    [
      { provisionedPollers: { ...pollers, pollerGroupName: "g" } },
      ["provisioned_poller_config.poller_group_name"],
    ],
    [{ onFailureDestination: "kafka://dead" }, ["destination_config"]],
    [{ maximumRetryAttempts: 0 }, ["maximum_retry_attempts"]],
    [{ maximumRetryAttempts: -1 }, []],
    [{ maximumRecordAgeSeconds: 60 }, ["maximum_record_age"]],
    [{ maximumRecordAgeSeconds: -1 }, []],
    [{ bisectBatchOnFunctionError: true }, ["bisect_batch_on_function_error"]],
    [{ bisectBatchOnFunctionError: false }, []],
    [{ metrics: ["ErrorCount"] }, ["metrics_config"]],
    [{ systemLogLevel: "INFO" }, ["logging_config"]],
  ] as [Partial<MappingSettings>, string[]][])("of %j says %j", (change, paths) => {
    expect(settingsNotInEffect({ ...settings, ...change })).toEqual(paths);
  });
});

describe("describeSettings", () => {
  it("is plain data with every setting", () => {
    const described = describeSettings(settings);
    expect(JSON.parse(JSON.stringify(described))).toEqual(described);
    const { functionRef: _, ...others } = settings;
    expect(Object.keys(described).sort()).toEqual(["function", ...Object.keys(others)].sort());
  });

  it("S-12: counts patterns that are encrypted at rest, and shows references only", () => {
    const described = describeSettings({
      ...settings,
      functionRef: { name: "f", qualifier: "live" },
      kmsKeyArn: KNOWN_KEY,
      sourceAccess: [{ type: "BASIC_AUTH", uri: "file:s" }],
    });
    expect(described).toMatchObject({
      function: "f:live",
      filterPatterns: "1 encrypted",
      sourceAccess: [{ type: "BASIC_AUTH", uri: "file:s" }],
    });
  });
});
