import { isIPv6 } from "node:net";

/** A host and a port apart. */
export interface NetworkAddress {
  readonly host: string;
  readonly port: number;
}

/** What is wrong with a `host:port` text, or null. An IPv6 host is written in brackets. */
export function addressProblem(value: string): string | null {
  return parseAddress(value) === null ? "must be host:port, such as 127.0.0.1:7400" : null;
}

/** Splits `host:port`; null when it isn't one. The host comes without brackets. */
export function parseAddress(value: string): NetworkAddress | null {
  const match = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([A-Za-z0-9._-]{1,253})):(\d{1,5})$/.exec(value);
  if (match === null) return null;
  const [, literal, name, digits] = match;
  const port = Number(digits);
  if (port < 1 || port > 65_535) return null;
  if (literal !== undefined) return isIPv6(literal) ? { host: literal, port } : null;
  // Some names are none in a URL (256.1.1.1), where they are put to be dialled.
  return URL.canParse(`http://${value}`) ? { host: name ?? "", port } : null;
}

/** Joins host and port, with brackets around an IPv6 address. */
export function formatAddress(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}
