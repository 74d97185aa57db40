import { randomUUID } from "node:crypto";
import { runService, startTelemetry } from "@penstock/runtime";
import { startInvokerService } from "./invoker-service.ts";
import { parseInvokerSettings } from "./invoker-settings.ts";

/** The invoker service as a process. */
runService(
  async ({ log, env }) => {
    const settings = parseInvokerSettings(env);
    const telemetry = startTelemetry({
      service: "penstock-invoker",
      instanceId: randomUUID(),
      env,
      log,
    });
    const service = await startInvokerService({ settings, log, telemetry });
    return {
      ...service,
      stop: async () => {
        await service.stop();
        await telemetry.shutdown();
      },
    };
  },
  { service: "invoker" },
);
