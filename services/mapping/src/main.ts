import { randomUUID } from "node:crypto";
import { effectiveSettings, runService, startTelemetry } from "@penstock/runtime";
import { startMappingService } from "./mapping-service.ts";
import { MAPPING_SETTINGS, parseMappingSettings } from "./settings.ts";

/** The mapping service as a process. */
runService(
  async ({ log, env }) => {
    const settings = parseMappingSettings(env);
    log.info("settings", effectiveSettings(MAPPING_SETTINGS, settings));
    const telemetry = startTelemetry({
      service: "penstock-mapping",
      instanceId: randomUUID(),
      env,
      log,
    });
    const service = await startMappingService(settings, {
      log,
      env,
      meter: telemetry.meter,
      metrics: (request, response) => telemetry.metricsHandler(request, response),
    });
    return {
      ...service,
      async stop() {
        await service.stop();
        await telemetry.shutdown();
      },
    };
  },
  { service: "mapping" },
);
