import type { AttributeName } from "./attribute-names.ts";

/**
 * - `counter`: only grows, read from a plain number when metrics are collected.
 * - `gauge`: a value now, read when metrics are collected.
 * - `histogram`: a distribution, recorded per batch, call or request and never per record.
 */
export type MetricKind = "counter" | "gauge" | "histogram";

export interface MetricDefinition {
  /** OpenTelemetry name; on `/metrics` dots are underscores and a counter ends in `_total`. */
  readonly name: string;
  readonly kind: MetricKind;
  /** UCUM. The unit ends the name too where it is seconds or bytes, so that every back end shows the same name. */
  readonly unit: string;
  readonly attributes: readonly AttributeName[];
  readonly description: string;
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
}

/** The name of the series on `/metrics`. */
export function prometheusName({ name, kind }: MetricDefinition): string {
  const sanitized = name.replaceAll(".", "_");
  return kind === "counter" ? `${sanitized}_total` : sanitized;
}
