/** The mapping service: the control plane, and the only owner of Postgres. */
export { type MappingServiceParts, startMappingService } from "./mapping-service.ts";
export { MAPPING_SETTINGS, type MappingSettings, parseMappingSettings } from "./settings.ts";
