/**
 * Instruments from definitions. The hot path counts in plain numbers of its own; those are read here, when metrics are collected.
 */
import type { Histogram, Meter } from "@opentelemetry/api";
import type { AttributeValues } from "./attribute-names.ts";
import type { MetricDefinition } from "./metric-definition.ts";

/** A value and the attributes of its series. */
export type Observation = readonly [value: number, attributes: AttributeValues];

/** Reads the present values. Must be quick and must not throw. */
export type ReadMetric = () => number | Iterable<Observation>;

/**
 * Reads a counter or a gauge whenever metrics are collected. One reader for each metric and meter at a time.
 *
 * @returns ends the reading
 */
export function observeMetric(
  meter: Meter,
  definition: MetricDefinition & { readonly kind: "counter" | "gauge" },
  read: ReadMetric,
): () => void {
  const { name, unit, description, kind } = definition;
  const instrument =
    kind === "counter"
      ? meter.createObservableCounter(name, { unit, description })
      : meter.createObservableGauge(name, { unit, description });
  const callback: Parameters<typeof instrument.addCallback>[0] = (result) => {
    const values = read();
    if (typeof values === "number") result.observe(values);
    else for (const [value, attributes] of values) result.observe(value, attributes);
  };
  instrument.addCallback(callback);
  return () => instrument.removeCallback(callback);
}

/** A distribution, for one value per batch or call. */
export function createHistogram(
  meter: Meter,
  definition: MetricDefinition & { readonly kind: "histogram" },
): { record(value: number, attributes?: AttributeValues): void } {
  const { name, unit, description, buckets } = definition;
  const histogram: Histogram = meter.createHistogram(name, {
    unit,
    description,
    ...(buckets === undefined ? {} : { advice: { explicitBucketBoundaries: [...buckets] } }),
  });
  return histogram;
}
