/**
 * Where a secret may be sent: `host:port`, the host also as `*.below.this.name`, the port also `*`; `*:*` is everywhere. Hosts compare without case and
 * without the dot at the end. Pure.
 */
export interface BrokerPattern {
  matches(host: string, port: number): boolean;
}

const HOST = /^(?:\*|(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]{2,45}\])$/;

/** Null when the text is no pattern. */
export function parseBrokerPattern(text: string): BrokerPattern | null {
  const colon = text.lastIndexOf(":");
  const host = plain(text.slice(0, Math.max(colon, 0)));
  const digits = text.slice(colon + 1);
  if (!HOST.test(host) || !/^(?:\*|[1-9]\d{0,4})$/.test(digits)) return null;
  const port = digits === "*" ? null : Number(digits);
  if (port !== null && port > 65_535) return null;
  const isHost = hostTest(host);
  return { matches: (at, on) => (port === null || port === on) && isHost(plain(at)) };
}

function hostTest(pattern: string): (host: string) => boolean {
  if (pattern === "*") return () => true;
  if (!pattern.startsWith("*.")) {
    const bare = pattern.startsWith("[") ? pattern.slice(1, -1) : pattern;
    return (host) => (host.startsWith("[") ? host.slice(1, -1) : host) === bare;
  }
  const suffix = pattern.slice(1);
  return (host) => host.length > suffix.length && host.endsWith(suffix);
}

function plain(host: string): string {
  const lower = host.toLowerCase();
  return lower.endsWith(".") ? lower.slice(0, -1) : lower;
}
