import { hostname } from "node:os";
import { formatAddress } from "./network-address.ts";

/** The `host:port` that others dial: the advertised host, else the bound one, else the machine's name when bound to every address. */
export function advertisedAddress(
  advertisedHost: string | null,
  bound: { readonly host: string; readonly port: number },
): string {
  const isWildcard = bound.host === "0.0.0.0" || bound.host === "::";
  return formatAddress(advertisedHost ?? (isWildcard ? hostname() : bound.host), bound.port);
}
