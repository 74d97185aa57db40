import { describe, expect, it } from "vitest";
import { readExportSettings } from "./export-settings.ts";
import { createSampler } from "./sampler.ts";

describe("readExportSettings", () => {
  it("exports nothing without an endpoint", () => {
    expect(readExportSettings({})).toMatchObject({ metricsUrl: null, tracesUrl: null });
  });

  it("adds the signal's path to the shared endpoint, and takes a signal's own as it is", () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318/",
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://traces:4318/custom",
    };
    expect(readExportSettings(env)).toMatchObject({
      metricsUrl: "http://collector:4318/v1/metrics",
      tracesUrl: "http://traces:4318/custom",
    });
  });

  it("obeys OTEL_SDK_DISABLED and an exporter of none", () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };
    expect(readExportSettings({ ...env, OTEL_SDK_DISABLED: "true" })).toMatchObject({
      metricsUrl: null,
      tracesUrl: null,
    });
    expect(readExportSettings({ ...env, OTEL_TRACES_EXPORTER: "none" }).tracesUrl).toBeNull();
  });

  it("F87: takes defaults for what doesn't read", () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: "not a url",
      OTEL_METRIC_EXPORT_INTERVAL: "often",
      OTEL_EXPORTER_OTLP_HEADERS: "=x,good=a%20b,bad=%zz,__proto__=y",
    };
    const settings = readExportSettings(env);
    expect(settings.metricsUrl).toBeNull();
    expect(settings.metricIntervalMs).toBe(60_000);
    expect(Object.entries(settings.headers)).toContainEqual(["good", "a b"]);
    expect(Object.getPrototypeOf(settings.headers)).toBe(Object.prototype);
  });
});

describe("createSampler", () => {
  it.each([
    [{}, "ParentBased"],
    [{ OTEL_TRACES_SAMPLER: "always_off" }, "AlwaysOffSampler"],
    [{ OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.25" }, "0.25"],
    [{ OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "9" }, "{1}"],
    [{ OTEL_TRACES_SAMPLER: "sometimes" }, "ParentBased"],
  ])("reads %j", (env, expected) => {
    expect(createSampler(env).toString()).toContain(expected);
  });
});
