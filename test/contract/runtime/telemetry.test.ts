// Metrics and traces with a collector that is there, slow, away, or wrong.
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { ROOT_CONTEXT, trace } from "@opentelemetry/api";
import {
  createHistogram,
  formatTraceparent,
  METRICS,
  observeMetric,
  parseTraceContext,
  startHttpServer,
  startTelemetry,
  type Telemetry,
} from "@penstock/runtime";
import { describe, expect, it } from "vitest";
import { capturedLog } from "./fleet-service.ts";
import { signal, stopAfterEach } from "./stoppable.ts";

const keep = stopAfterEach();

function start(env: Record<string, string> = {}, log = capturedLog().log): Telemetry {
  const telemetry = startTelemetry({ service: "penstock-test", instanceId: "i-1", env, log });
  keep({ stop: () => telemetry.shutdown() });
  return telemetry;
}

async function scrape(telemetry: Telemetry): Promise<string> {
  const server = keep(
    await startHttpServer({
      host: "127.0.0.1",
      port: 0,
      log: capturedLog().log,
      ready: () => ({ ok: true }),
      metrics: telemetry.metricsHandler,
    }),
  );
  const response = await fetch(`http://127.0.0.1:${server.port}/metrics`);
  return response.text();
}

/** A collector; `answer` decides what becomes of each export. */
async function startCollector(answer: (path: string, respond: (status: number) => void) => void) {
  const server: Server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      answer(request.url ?? "", (status) => response.writeHead(status).end());
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  keep({
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("/metrics", () => {
  it("shows plain numbers as they are when it is read, and distributions", async () => {
    const telemetry = start();
    let polled = 0;
    observeMetric(telemetry.meter, METRICS.recordsPolled, () => [
      [polled, { mapping: "m", topic: "orders", partition: 0 }],
    ]);
    createHistogram(telemetry.meter, METRICS.deliverySeconds).record(0.02, { outcome: "success" });
    polled = 41;
    expect(await scrape(telemetry)).toContain(
      'penstock_records_polled_total{mapping="m",topic="orders",partition="0"} 41',
    );
    polled = 42;
    const text = await scrape(telemetry);
    expect(text).toContain(
      'penstock_records_polled_total{mapping="m",topic="orders",partition="0"} 42',
    );
    expect(text).toContain(
      'penstock_delivery_duration_seconds_bucket{outcome="success",le="0.025"} 1',
    );
    expect(text).toContain("penstock_process_resident_bytes ");
    expect(text).toContain("penstock_log_dropped_lines_total 0");
  });

  it("keeps several services of one process apart", async () => {
    const [one, other] = [start(), start()];
    observeMetric(one.meter, METRICS.leader, () => 1);
    expect(await scrape(one)).toContain("penstock_leader 1");
    expect(await scrape(other)).not.toContain("penstock_leader 1");
  });

  it("F90: a label value can't break the format", async () => {
    const telemetry = start();
    observeMetric(telemetry.meter, METRICS.gaps, () => [[1, { mapping: 'a"\n\\b', reason: "x" }]]);
    expect(await scrape(telemetry)).toContain(
      'penstock_gaps_total{mapping="a\\"\\n\\\\b",reason="x"} 1',
    );
  });

  it("F87: a reader of numbers that throws costs its own metric only", async () => {
    const telemetry = start();
    observeMetric(telemetry.meter, METRICS.leader, () => {
      throw new Error("bug");
    });
    expect(await scrape(telemetry)).toContain("penstock_process_resident_bytes ");
  });
});

describe("export", () => {
  it("sends metrics and traces to the collector", async () => {
    const paths = new Map([
      ["/v1/metrics", signal()],
      ["/v1/traces", signal()],
    ]);
    const endpoint = await startCollector((path, respond) => {
      paths.get(path)?.resolve();
      respond(200);
    });
    const telemetry = start({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
    telemetry.tracer.startSpan("batch").end();
    await telemetry.shutdown();
    await Promise.all([...paths.values()].map(({ promise }) => promise));
  });

  it("F87: says once that exports fail, and once that they work again", async () => {
    let isBroken = true;
    const seen = [signal(), signal(), signal()];
    let exports = 0;
    const endpoint = await startCollector((path, respond) => {
      respond(isBroken ? 400 : 200);
      if (path === "/v1/metrics") seen[exports++]?.resolve();
    });
    const { log, lines } = capturedLog();
    const env = { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${endpoint}/v1/metrics` };
    const telemetry = start({ ...env, OTEL_METRIC_EXPORT_INTERVAL: "1000" }, log);
    await seen[1]?.promise;
    isBroken = false;
    await seen[2]?.promise;
    await telemetry.shutdown();
    const said = lines.map((line) => JSON.parse(line).msg);
    expect(said).toEqual(["telemetry is not exported", "telemetry is exported again"]);
  });

  it.each([
    ["is away", async () => "http://127.0.0.1:9"],
    ["never answers", () => startCollector(() => {})],
  ])(
    "F87, L-3: a collector that %s delays neither spans nor the end of the process",
    async (_how, endpoint) => {
      const telemetry = start({ OTEL_EXPORTER_OTLP_ENDPOINT: await endpoint() });
      for (let span = 0; span < 10_000; span++) telemetry.tracer.startSpan("batch").end();
      const startedMs = performance.now();
      await telemetry.shutdown();
      expect(performance.now() - startedMs).toBeLessThan(4000);
    },
  );
});

describe("tracing", () => {
  const PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

  it("records nothing without an endpoint, and carries on the parent's context", () => {
    const { tracer, isTracing } = start();
    const context = parseTraceContext(PARENT);
    if (context === null) throw new Error("no context");
    const parent = trace.setSpanContext(ROOT_CONTEXT, context);
    const span = tracer.startSpan("batch", {}, parent);
    expect(isTracing).toBe(false);
    expect(span.isRecording()).toBe(false);
    expect(formatTraceparent(span.spanContext())).toBe(PARENT);
    expect(formatTraceparent(tracer.startSpan("batch", { root: true }).spanContext())).toBe("");
  });

  it.each([
    ["00", {}, false],
    ["01", {}, true],
    ["01", { OTEL_TRACES_SAMPLER: "always_off" }, false],
    ["00", { OTEL_TRACES_SAMPLER: "always_on" }, true],
  ])("samples as the parent (flags %s) and %j say", (flags, env, isRecording) => {
    const { tracer } = start({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9", ...env });
    const context = parseTraceContext(PARENT.replace(/01$/, flags));
    if (context === null) throw new Error("no context");
    const span = tracer.startSpan("batch", {}, trace.setSpanContext(ROOT_CONTEXT, context));
    expect(span.isRecording()).toBe(isRecording);
    expect(span.spanContext().traceId).toBe(context.traceId);
  });
});
