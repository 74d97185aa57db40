/**
 * What kind of place an IP address is. Pure: text in, class out, no look-up.
 *
 * IPv6 addresses that carry an IPv4 address (mapped, translated, NAT64, 6to4, ISATAP) take the class of the address they carry,
 * because that is where a packet ends. Ranges: IANA special-purpose registries (RFC 6890 and successors).
 */
export type AddressClass =
  | "public"
  /** 127.0.0.0/8, ::1. */
  | "loopback"
  /** RFC 1918, carrier-grade NAT, benchmarking networks, unique local. */
  | "private"
  /** 169.254.0.0/16, fe80::/10. */
  | "linkLocal"
  /** Where clouds hand out credentials. */
  | "metadata"
  | "multicast"
  | "unspecified"
  /** Documentation, discard, future use and tunnels: nothing that a function lives at. */
  | "reserved"
  /** Not an IP address. */
  | "invalid";

type Range = readonly [base: string, bits: number, addressClass: AddressClass];

/** First match wins: the narrow ranges stand before the wide ones. */
const IPV4_RANGES: readonly Range[] = [
  ["169.254.169.254", 32, "metadata"],
  ["169.254.170.2", 32, "metadata"],
  ["100.100.100.200", 32, "metadata"],
  ["168.63.129.16", 32, "metadata"],
  ["192.0.0.192", 32, "metadata"],
  ["0.0.0.0", 8, "unspecified"],
  ["10.0.0.0", 8, "private"],
  ["100.64.0.0", 10, "private"],
  ["127.0.0.0", 8, "loopback"],
  ["169.254.0.0", 16, "linkLocal"],
  ["172.16.0.0", 12, "private"],
  ["192.0.0.0", 24, "reserved"],
  ["192.0.2.0", 24, "reserved"],
  ["192.88.99.0", 24, "reserved"],
  ["192.168.0.0", 16, "private"],
  ["198.18.0.0", 15, "private"],
  ["198.51.100.0", 24, "reserved"],
  ["203.0.113.0", 24, "reserved"],
  ["224.0.0.0", 4, "multicast"],
  ["240.0.0.0", 4, "reserved"],
];

const IPV6_RANGES: readonly Range[] = [
  ["fd00:ec2::254", 128, "metadata"],
  ["fd20:ce::254", 128, "metadata"],
  ["fd00:42::42", 128, "metadata"],
  ["fd00:c1::a9fe:a9fe", 128, "metadata"],
  ["::", 128, "unspecified"],
  ["::1", 128, "loopback"],
  ["64:ff9b:1::", 48, "private"],
  ["100::", 64, "reserved"],
  ["2001::", 23, "reserved"],
  ["2001:db8::", 32, "reserved"],
  ["3fff::", 20, "reserved"],
  ["fc00::", 7, "private"],
  ["fe80::", 10, "linkLocal"],
  ["fec0::", 10, "private"],
  ["ff00::", 8, "multicast"],
  ["2000::", 3, "public"],
];

/** IPv6 prefixes behind which an IPv4 address stands, and at which bit of the 128 it starts. */
const EMBEDDINGS: readonly (readonly [base: string, bits: number, at: number])[] = [
  ["::ffff:0:0", 96, 96],
  ["::ffff:0:0:0", 96, 96],
  ["64:ff9b::", 96, 96],
  ["2002::", 16, 16],
];

interface Prefix {
  readonly value: bigint;
  readonly shift: bigint;
}

function prefixOf(base: string, bits: number, width: 32 | 128): Prefix {
  const value = width === 32 ? BigInt(parseIpv4(base) ?? 0) : (parseIpv6(base) ?? 0n);
  const shift = BigInt(width - bits);
  return { value: value >> shift, shift };
}

const ipv4Table = IPV4_RANGES.map(([base, bits, is]) => [prefixOf(base, bits, 32), is] as const);
const ipv6Table = IPV6_RANGES.map(([base, bits, is]) => [prefixOf(base, bits, 128), is] as const);
const embeddingTable = EMBEDDINGS.map(
  ([base, bits, at]) => [prefixOf(base, bits, 128), BigInt(96 - at)] as const,
);

/** The class of an address in text: dotted decimal, or any form of IPv6 with or without a zone. */
export function classifyAddress(address: string): AddressClass {
  const ipv4 = parseIpv4(address);
  if (ipv4 !== null) return classifyIpv4(BigInt(ipv4));
  const ipv6 = parseIpv6(address);
  return ipv6 === null ? "invalid" : classifyIpv6(ipv6);
}

function classifyIpv4(value: bigint): AddressClass {
  for (const [prefix, is] of ipv4Table) {
    if (value >> prefix.shift === prefix.value) return is;
  }
  return "public";
}

function classifyIpv6(value: bigint): AddressClass {
  for (const [prefix, shift] of embeddingTable) {
    if (value >> prefix.shift === prefix.value) return classifyIpv4((value >> shift) & 0xffffffffn);
  }
  // ISATAP (RFC 5214): an interface id of ::0:5efe:a.b.c.d or ::200:5efe:a.b.c.d under any prefix.
  const marker = (value >> 32n) & 0xffffffffn;
  if (marker === 0x5efen || marker === 0x2005efen) {
    const carried = classifyIpv4(value & 0xffffffffn);
    if (carried !== "public") return carried;
  }
  for (const [prefix, is] of ipv6Table) {
    if (value >> prefix.shift === prefix.value) return is;
  }
  return "reserved";
}

/** Four decimal numbers without leading zeros; null otherwise. */
function parseIpv4(text: string): number | null {
  const parts = text.split(".");
  if (parts.length !== 4) return null;
  let value = 0;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    value = value * 256 + Number(part);
  }
  return value;
}

function parseIpv6(text: string): bigint | null {
  const zone = text.indexOf("%");
  let body = zone < 0 ? text : text.slice(0, zone);
  const dotted = body.lastIndexOf(":") + 1;
  if (body.includes(".")) {
    const ipv4 = parseIpv4(body.slice(dotted));
    if (ipv4 === null) return null;
    body = `${body.slice(0, dotted)}${(ipv4 >>> 16).toString(16)}:${(ipv4 & 0xffff).toString(16)}`;
  }
  const halves = body.split("::");
  if (halves.length > 2) return null;
  const head = groupsOf(halves[0] ?? "");
  const tail = groupsOf(halves[1] ?? "");
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  let value = 0n;
  for (const group of [...head, ...new Array<number>(missing).fill(0), ...tail]) {
    value = (value << 16n) | BigInt(group);
  }
  return value;
}

function groupsOf(text: string): number[] | null {
  if (text === "") return [];
  const groups: number[] = [];
  for (const group of text.split(":")) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return null;
    groups.push(Number.parseInt(group, 16));
  }
  return groups;
}
