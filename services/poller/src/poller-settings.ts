import {
  KAFKA_SETTINGS,
  OUTBOUND_SETTINGS,
  OWN_PORT_SETTINGS,
  type Parsed,
  parseSettings,
  SECRETS_SETTINGS,
  SECURITY_SETTINGS,
  SETTINGS,
  securityProblems,
} from "@penstock/runtime";
import { driverProblems } from "./node/choose-driver.ts";

/** The settings that the poller service reads. */
const SCHEMA = {
  host: SETTINGS.host,
  advertisedHost: SETTINGS.advertisedHost,
  httpHosts: SETTINGS.httpHosts,
  grpcPort: SETTINGS.pollerGrpcPort,
  httpPort: SETTINGS.pollerHttpPort,
  invoker: SETTINGS.invoker,
  allowPrivateAddresses: SETTINGS.allowPrivateAddresses,
  drainLimitMs: SETTINGS.drainLimitMs,
  shutdownDeadlineMs: SETTINGS.shutdownDeadlineMs,
  bufferBytesMax: SETTINGS.bufferBytesMax,
  historyFile: SETTINGS.historyFile,
  rpcMessageBytesMax: SETTINGS.rpcMessageBytesMax,
  rpcDeadlineMsMax: SETTINGS.rpcDeadlineMsMax,
  ...KAFKA_SETTINGS,
  ...SECURITY_SETTINGS,
  ...SECRETS_SETTINGS,
  ...OUTBOUND_SETTINGS,
  ...OWN_PORT_SETTINGS,
} as const;

export type PollerSettings = Parsed<typeof SCHEMA>;

/** @throws PenstockError `invalidArgument` naming every variable that is wrong */
export function parsePollerSettings(env: Readonly<Record<string, string | undefined>>) {
  return parseSettings(SCHEMA, env, (settings) => {
    const { drainLimitMs, shutdownDeadlineMs } = settings;
    const violations = [...securityProblems(settings), ...driverProblems(settings)];
    if (drainLimitMs >= shutdownDeadlineMs) {
      violations.push({
        field: "PENSTOCK_SHUTDOWN_DEADLINE_MS",
        description: `must be longer than PENSTOCK_DRAIN_LIMIT_MS (${drainLimitMs})`,
      });
    }
    if (settings.kafkaStaticMembership && settings.nodeId === null) {
      violations.push({
        field: "PENSTOCK_KAFKA_STATIC_MEMBERSHIP",
        description: "needs PENSTOCK_NODE_ID, which the restarted poller has again",
      });
    }
    return violations;
  });
}
