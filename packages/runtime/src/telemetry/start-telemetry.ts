/**
 * OpenTelemetry for one service: metrics on `/metrics` always, metrics and traces by OTLP when an endpoint is set. Nothing global is
 * registered, so several services can live in one process.
 *
 * A collector that is down, slow or wrong has no effect on anything else (F87): buffers are bounded, failed exports are dropped, and
 * `shutdown` waits for a second at most.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Meter, ProxyTracerProvider, type Tracer } from "@opentelemetry/api";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import {
  type IMetricReader,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import type { Logger } from "../logs/logger.ts";
import type { Environment } from "../settings/parse-settings.ts";
import { type ExportSettings, readExportSettings } from "./export-settings.ts";
import { watchExports } from "./export-watch.ts";
import { observeProcess } from "./process-metrics.ts";
import { createSampler } from "./sampler.ts";

export interface TelemetryOptions {
  /** Such as `penstock-poller`. */
  readonly service: string;
  readonly instanceId: string;
  readonly env: Environment;
  /** For a line when exports begin or cease to fail. */
  readonly log?: Logger;
}

export interface Telemetry {
  readonly meter: Meter;
  /** Without an endpoint its spans cost nothing and carry on their parent's context. */
  readonly tracer: Tracer;
  /** Whether spans can be recorded at all. */
  readonly isTracing: boolean;
  /** Serves `/metrics` in the Prometheus text format. */
  metricsHandler(request: IncomingMessage, response: ServerResponse): void;
  /** Sends what waits, for a second at most. Never rejects. */
  shutdown(): Promise<void>;
}

const SCOPE = "penstock";
const EXPORT_MS_MAX = 5000;
const SHUTDOWN_MS_MAX = 1000;
const SPAN_QUEUE_MAX = 2048;
const SPAN_LINKS_MAX = 128;

export function startTelemetry(options: TelemetryOptions): Telemetry {
  const settings = readExportSettings(options.env);
  const resource = resourceFromAttributes({
    ...settings.resourceAttributes,
    "service.namespace": "penstock",
    "service.name": options.env.OTEL_SERVICE_NAME?.trim() || options.service,
    "service.instance.id": options.instanceId,
  });
  const prometheus = new PrometheusExporter({ preventServerStart: true, withoutScopeInfo: true });
  const readers: IMetricReader[] = [prometheus];
  const metricReader = createMetricReader(settings, options.log);
  if (metricReader !== null) readers.push(metricReader);
  const meters = new MeterProvider({ resource, readers });
  const meter = meters.getMeter(SCOPE);
  const endProcessMetrics = observeProcess(meter);
  const tracers = createTracerProvider(settings, resource, options);

  let stopping: Promise<void> | null = null;
  async function shutdown(): Promise<void> {
    endProcessMetrics();
    const ends = Promise.allSettled([meters.shutdown(), tracers?.shutdown()]);
    await Promise.race([ends, delay(SHUTDOWN_MS_MAX)]);
  }
  return {
    meter,
    tracer: (tracers ?? new ProxyTracerProvider()).getTracer(SCOPE),
    isTracing: tracers !== null,
    metricsHandler: (request, response) => prometheus.getMetricsRequestHandler(request, response),
    shutdown: () => (stopping ??= shutdown()),
  };
}

function createMetricReader(
  { metricsUrl, headers, metricIntervalMs }: ExportSettings,
  log: Logger | undefined,
): IMetricReader | null {
  if (metricsUrl === null) return null;
  const exporter = new OTLPMetricExporter({
    url: metricsUrl,
    headers: { ...headers },
    timeoutMillis: EXPORT_MS_MAX,
    concurrencyLimit: 1,
  });
  return new PeriodicExportingMetricReader({
    exporter: watchExports(exporter, "metrics", log),
    exportIntervalMillis: metricIntervalMs,
    exportTimeoutMillis: Math.min(EXPORT_MS_MAX, metricIntervalMs),
  });
}

function createTracerProvider(
  { tracesUrl, headers }: ExportSettings,
  resource: Resource,
  { env, log }: TelemetryOptions,
): TracerProvider | null {
  if (tracesUrl === null) return null;
  const exporter = new OTLPTraceExporter({
    url: tracesUrl,
    headers: { ...headers },
    timeoutMillis: EXPORT_MS_MAX,
    concurrencyLimit: 2,
  });
  return new TracerProvider({
    resource,
    sampler: createSampler(env),
    spanLimits: { linkCountLimit: SPAN_LINKS_MAX, attributeValueLengthLimit: 1024 },
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: watchExports(exporter, "traces", log),
        maxQueueSize: SPAN_QUEUE_MAX,
        exportTimeoutMillis: EXPORT_MS_MAX,
      }),
    ],
  });
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
