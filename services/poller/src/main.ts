import { runService, startTelemetry } from "@penstock/runtime";
import { startPollerService } from "./poller-service.ts";
import { parsePollerSettings } from "./poller-settings.ts";

runService(
  async ({ log, env }) => {
    const telemetry = startTelemetry({ service: "penstock-poller", env });
    const service = await startPollerService({
      settings: parsePollerSettings(env),
      log,
      telemetry,
    });
    return {
      ...service,
      async stop() {
        await service.stop();
        await telemetry.shutdown();
      },
    };
  },
  { service: "poller" },
);
