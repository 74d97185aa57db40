import type { Secret } from "../secrets/secret.ts";
import { parseAddress } from "./kinds/network-address.ts";
import type { Parsed } from "./parse-settings.ts";
import { SETTINGS } from "./table/settings-table.ts";

/**
 * The ports of Penstock itself, which nothing outbound may dial (S-01). Services of one machine share its ports, so each reads those of the others too.
 */
export const OWN_PORT_SETTINGS = {
  mappingGrpcPort: SETTINGS.mappingGrpcPort,
  mappingHttpPort: SETTINGS.mappingHttpPort,
  pollerGrpcPort: SETTINGS.pollerGrpcPort,
  pollerHttpPort: SETTINGS.pollerHttpPort,
  invokerGrpcPort: SETTINGS.invokerGrpcPort,
  invokerHttpPort: SETTINGS.invokerHttpPort,
  mappingService: SETTINGS.mappingService,
} as const;

const POSTGRES_PORT_DEFAULT = 5432;

/** As the settings say; a service adds the ports that it was given when it listens. */
export function ownPortsOf(settings: Parsed<typeof OWN_PORT_SETTINGS>): Set<number> {
  const { mappingService, ...ports } = settings;
  const own = new Set<number>();
  for (const key of Object.keys(OWN_PORT_SETTINGS)) {
    const port = (ports as Readonly<Record<string, unknown>>)[key];
    if (typeof port === "number" && port > 0) own.add(port);
  }
  const mapping = parseAddress(mappingService)?.port;
  if (mapping !== undefined) own.add(mapping);
  return own;
}

/** The ports of Postgres, also where the URL names several hosts. */
export function databasePortsOf(databaseUrl: Secret): readonly number[] {
  const authority = /^[a-z]+:\/\/(?:[^@/?#]*@)?([^/?#]*)/.exec(databaseUrl.reveal())?.[1] ?? "";
  return authority.split(",").map((host) => {
    const port = /:(\d{1,5})$/.exec(host)?.[1];
    return port === undefined ? POSTGRES_PORT_DEFAULT : Number(port);
  });
}
