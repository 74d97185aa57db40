/**
 * Keeps web pages from driving an HTTP port (they can reach loopback through the browser of whoever opens them).
 *
 * - **Host**: only names under which this server is meant to be reached, so that a page whose own name was re-pointed at us (DNS
 *   rebinding) is refused. Loopback names, the address that the connection came in on, the bound and the advertised host, and names
 *   that the operator adds. Any port: published ports differ from bound ones.
 * - **Origin**: when a browser sends it, it must be one of those hosts too; `null` is refused.
 * - **Content type** of a POST: JSON or protobuf, which a page can't send to another origin without asking first (and we never
 *   answer such a question).
 */
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

/** Why a request is refused, in the shape of a Connect error. */
export interface Refusal {
  readonly status: 403 | 415 | 421;
  readonly code: "permission_denied" | "invalid_argument";
  readonly message: string;
}

export type HostGuard = (request: IncomingMessage) => Refusal | null;

const CONTENT_TYPES = new Set([
  "application/json",
  "application/connect+json",
  "application/proto",
  "application/connect+proto",
]);

/** @param hosts names or addresses without port, beside the loopback ones */
export function createHostGuard(hosts: readonly string[]): HostGuard {
  const known = new Set(hosts.map((host) => host.toLowerCase()));

  const isOurs = (host: string, request: IncomingMessage): boolean =>
    isLoopback(host) ||
    known.has(host) ||
    (isIP(host) !== 0 && host === withoutMapping(request.socket.localAddress ?? ""));

  return (request) => {
    const host = hostOf(request.headers.host ?? "");
    if (host === null || !isOurs(host, request)) {
      return {
        status: 421,
        code: "permission_denied",
        message: "This server does not answer under that Host; PENSTOCK_HTTP_HOSTS adds names.",
      };
    }
    const { origin } = request.headers;
    if (origin !== undefined) {
      const originHost = hostOf(/^https?:\/\/([^/]+)$/i.exec(origin)?.[1] ?? "");
      if (originHost === null || !isOurs(originHost, request)) {
        return { status: 403, code: "permission_denied", message: "Foreign Origin." };
      }
    }
    return request.method === "POST" ? checkContentType(request) : null;
  };
}

function checkContentType(request: IncomingMessage): Refusal | null {
  const type = request.headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
  if (type === undefined && isEmpty(request)) return null;
  if (type !== undefined && CONTENT_TYPES.has(type)) return null;
  return {
    status: 415,
    code: "invalid_argument",
    message: `Content-Type must be one of ${[...CONTENT_TYPES].join(", ")}.`,
  };
}

function isEmpty(request: IncomingMessage): boolean {
  const { "content-length": length, "transfer-encoding": encoding } = request.headers;
  return encoding === undefined && (length === undefined || length === "0");
}

/** The host of `host[:port]`, in lower case and without brackets; null when it isn't one. */
function hostOf(authority: string): string | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(authority);
  return (match?.[1] ?? match?.[2])?.toLowerCase() ?? null;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** An IPv4 client of an IPv6 listener shows as `::ffff:a.b.c.d`. */
function withoutMapping(localAddress: string): string {
  return localAddress.replace(/^::ffff:/i, "");
}
