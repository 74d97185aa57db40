import { type Parsed, parseSettings, SETTINGS } from "@penstock/runtime";

/** The settings that the poller service reads. */
const SCHEMA = {
  host: SETTINGS.host,
  advertisedHost: SETTINGS.advertisedHost,
  httpHosts: SETTINGS.httpHosts,
  grpcPort: SETTINGS.pollerGrpcPort,
  httpPort: SETTINGS.pollerHttpPort,
  mappingService: SETTINGS.mappingService,
  invoker: SETTINGS.invoker,
  allowPrivateAddresses: SETTINGS.allowPrivateAddresses,
  drainLimitMs: SETTINGS.drainLimitMs,
  shutdownDeadlineMs: SETTINGS.shutdownDeadlineMs,
  bufferBytesMax: SETTINGS.bufferBytesMax,
  historyFile: SETTINGS.historyFile,
  rpcMessageBytesMax: SETTINGS.rpcMessageBytesMax,
  rpcDeadlineMsMax: SETTINGS.rpcDeadlineMsMax,
} as const;

export type PollerSettings = Parsed<typeof SCHEMA>;

/** @throws PenstockError `invalidArgument` naming every variable that is wrong */
export function parsePollerSettings(env: Readonly<Record<string, string | undefined>>) {
  return parseSettings(SCHEMA, env, ({ drainLimitMs, shutdownDeadlineMs }) =>
    drainLimitMs < shutdownDeadlineMs
      ? []
      : [
          {
            field: "PENSTOCK_SHUTDOWN_DEADLINE_MS",
            description: `must be longer than PENSTOCK_DRAIN_LIMIT_MS (${drainLimitMs})`,
          },
        ],
  );
}
