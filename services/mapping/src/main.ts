import { runService } from "@penstock/runtime";
import { startMappingService } from "./mapping-service.ts";
import { parseMappingSettings } from "./settings.ts";

runService(({ log, env }) => startMappingService(parseMappingSettings(env), { log }), {
  service: "mapping",
});
