import { randomUUID } from "node:crypto";
import { parseInvokerSettings, startInvokerService } from "@penstock/invoker-service";
import { runService, type StartContext, startTelemetry } from "@penstock/runtime";
import { startPollerService } from "./poller-service.ts";
import { parsePollerSettings } from "./poller-settings.ts";

/** The poller service as a process; with PENSTOCK_INVOKER=embedded an invoker runs in it too. */
runService(
  async (context) => {
    const { log, env } = context;
    const settings = parsePollerSettings(env);
    const telemetry = startTelemetry({
      service: "penstock-poller",
      instanceId: randomUUID(),
      env,
      log,
    });
    const embedded = settings.invoker.kind === "embedded" ? await startEmbedded(context) : null;
    const service = await startPollerService({
      settings,
      log,
      env,
      telemetry,
      ...(embedded !== null && { invoker: embedded.invoker }),
    });
    return {
      ...service,
      async stop() {
        await service.stop();
        await embedded?.stop();
        await telemetry.shutdown();
      },
    };
  },
  { service: "poller" },
);

async function startEmbedded({ log, env }: StartContext) {
  const telemetry = startTelemetry({
    service: "penstock-invoker",
    instanceId: randomUUID(),
    env,
    log,
  });
  const service = await startInvokerService({
    // The setting names one node: the poller.
    settings: { ...parseInvokerSettings(env), nodeId: null },
    log: log.child({ part: "invoker" }),
    telemetry,
  });
  return {
    invoker: service.invoker,
    async stop() {
      await service.stop();
      await telemetry.shutdown();
    },
  };
}
