import type { FieldViolation } from "@penstock/core";
import {
  type Environment,
  OUTBOUND_SETTINGS,
  OWN_PORT_SETTINGS,
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
  allowPrivateAddresses: SETTINGS.allowPrivateAddresses,
  drainLimitMs: SETTINGS.drainLimitMs,
  shutdownDeadlineMs: SETTINGS.shutdownDeadlineMs,
  ...SECURITY_SETTINGS,
  ...OUTBOUND_SETTINGS,
  ...OWN_PORT_SETTINGS,
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
