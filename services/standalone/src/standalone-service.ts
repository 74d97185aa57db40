import { randomUUID } from "node:crypto";
import { parseInvokerSettings, startInvokerService } from "@penstock/invoker-service";
import { parseMappingSettings, startMappingService } from "@penstock/mapping-service";
import { parsePollerSettings, startPollerService } from "@penstock/poller-service";
import { type Service, type StartContext, startTelemetry } from "@penstock/runtime";

/**
 * All three services in one process, each on its own ports; the poller calls the invoker in process. The fastest form for one machine.
 *
 * They start in the order mapping, invoker, poller and stop in the reverse one, so that what drains can still call functions
 * and report where it got to.
 */
export async function startStandalone({ log, env }: StartContext): Promise<Service> {
  const telemetry = (service: string) =>
    startTelemetry({ service, instanceId: randomUUID(), env, log });
  const mappingSettings = parseMappingSettings(env);
  const invokerSettings = parseInvokerSettings(env);
  const pollerSettings = parsePollerSettings(env);

  const mappingTelemetry = telemetry("penstock-mapping");
  const mapping = await startMappingService(mappingSettings, {
    log: log.child({ part: "mapping" }),
    env,
    meter: mappingTelemetry.meter,
    metrics: (request, response) => mappingTelemetry.metricsHandler(request, response),
  });
  const invokerTelemetry = telemetry("penstock-invoker");
  const invoker = await startInvokerService({
    // PENSTOCK_NODE_ID names one node: the poller.
    settings: { ...invokerSettings, mappingService: mapping.grpc, nodeId: null },
    log: log.child({ part: "invoker" }),
    telemetry: invokerTelemetry,
  });
  const pollerTelemetry = telemetry("penstock-poller");
  const poller = await startPollerService({
    settings: { ...pollerSettings, mappingService: mapping.grpc },
    log: log.child({ part: "poller" }),
    env,
    telemetry: pollerTelemetry,
    invoker: invoker.invoker,
  });
  log.info("ready", { grpc: mapping.grpc, http: mapping.http, id: randomUUID() });

  let stopping: Promise<void> | null = null;
  async function stop(): Promise<void> {
    for (const service of [poller, invoker, mapping]) await service.stop();
    await Promise.all(
      [pollerTelemetry, invokerTelemetry, mappingTelemetry].map((each) => each.shutdown()),
    );
  }
  return { grpc: mapping.grpc, http: mapping.http, stop: () => (stopping ??= stop()) };
}
