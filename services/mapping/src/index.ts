/** The mapping service: the control plane, and the only owner of Postgres. */
export { createFleet, type FleetOptions } from "./fleet/create-fleet.ts";
export type { FunctionRegistry } from "./functions/function-registry.ts";
export type { ClusterAdmin } from "./leader/clusters/cluster-admin.ts";
export { type MappingServiceParts, startMappingService } from "./mapping-service.ts";
export { MAPPING_SETTINGS, type MappingSettings, parseMappingSettings } from "./settings.ts";
