import { hostname } from "node:os";
import { formatAddress } from "./kinds/network-address.ts";

/** The `host:port` that others dial: the advertised host, else the bound one, else the machine's name when bound to every address. */
export function advertisedAddress(
  advertisedHost: string | null,
  bound: { readonly host: string; readonly port: number },
): string {
  const isWildcard = bound.host === "0.0.0.0" || bound.host === "::";
  return formatAddress(advertisedHost ?? (isWildcard ? hostname() : bound.host), bound.port);
}

/** Names under which an HTTP port answers besides its own: those that are configured, and the advertised host. */
export function answeredHosts(settings: {
  readonly httpHosts: readonly string[];
  readonly advertisedHost: string | null;
}): string[] {
  const { httpHosts, advertisedHost } = settings;
  return advertisedHost === null ? [...httpHosts] : [...httpHosts, advertisedHost];
}
