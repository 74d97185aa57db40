import type { FieldViolation } from "@penstock/core";
import {
  type Environment,
  parseSettings,
  SECURITY_SETTINGS,
  SETTINGS,
  securityProblems,
} from "@penstock/runtime";

const SCHEMA = {
  host: SETTINGS.host,
  grpcPort: SETTINGS.invokerGrpcPort,
  httpPort: SETTINGS.invokerHttpPort,
  advertisedHost: SETTINGS.advertisedHost,
  httpHosts: SETTINGS.httpHosts,
  mappingService: SETTINGS.mappingService,
  allowPrivateAddresses: SETTINGS.allowPrivateAddresses,
  drainLimitMs: SETTINGS.drainLimitMs,
  shutdownDeadlineMs: SETTINGS.shutdownDeadlineMs,
  ...SECURITY_SETTINGS,
  // Read here only to be refused as targets of functions: services of one machine share its ports.
  mappingGrpcPort: SETTINGS.mappingGrpcPort,
  mappingHttpPort: SETTINGS.mappingHttpPort,
  pollerGrpcPort: SETTINGS.pollerGrpcPort,
  pollerHttpPort: SETTINGS.pollerHttpPort,
} as const;

/** The settings of the invoker service. */
export type InvokerSettings = ReturnType<typeof parseInvokerSettings>;

/** Pure. Throws `invalidArgument` with all problems at once. */
export function parseInvokerSettings(env: Environment) {
  return parseSettings(SCHEMA, env, (settings) => {
    const violations: FieldViolation[] = securityProblems(settings);
    if (settings.shutdownDeadlineMs <= settings.drainLimitMs) {
      violations.push({
        field: "PENSTOCK_SHUTDOWN_DEADLINE_MS",
        description: "must be longer than PENSTOCK_DRAIN_LIMIT_MS",
      });
    }
    return violations;
  });
}
