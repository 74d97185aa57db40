import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ATTRIBUTES } from "./attribute-names.ts";
import { type MetricDefinition, prometheusName } from "./metric-definition.ts";
import { METRICS } from "./metric-names.ts";
import { METRICS_DOCUMENT_MARK, renderMetricTables } from "./metrics-document.ts";

const ALL = Object.values<MetricDefinition>(METRICS);

describe("the metrics table", () => {
  it("names each metric once, on both sides", () => {
    expect(new Set(ALL.map(({ name }) => name)).size).toBe(ALL.length);
    expect(new Set(ALL.map(prometheusName)).size).toBe(ALL.length);
  });

  it.each(ALL)("$name is well formed", ({ name, unit, attributes, description, kind, buckets }) => {
    expect(name).toMatch(/^penstock(\.[a-z]+)+$/);
    if (unit === "s") expect(name).toMatch(/\.seconds$/);
    if (unit === "By") expect(name).toMatch(/\.bytes(\.max)?$/);
    expect(description).toMatch(/\.$/);
    expect(attributes.every((attribute) => attribute in ATTRIBUTES)).toBe(true);
    expect(buckets !== undefined).toBe(kind === "histogram");
  });

  it("is what docs/operating/metrics.md shows (node packages/runtime/scripts/write-documents.ts)", () => {
    const file = new URL("../../../../docs/operating/metrics.md", import.meta.url);
    const [, tables] = readFileSync(file, "utf8").split(METRICS_DOCUMENT_MARK);
    expect(tables?.trim()).toBe(renderMetricTables().trim());
  });
});
