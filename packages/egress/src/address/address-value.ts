/**
 * IP addresses as numbers: two spellings of one address are one number. Pure: text in, numbers out, no look-up.
 *
 * Some IPv6 addresses carry an IPv4 address, and that is where a packet ends: whoever judges a target asks for both.
 */
export interface AddressValue {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** The first bits of addresses of one family. */
export interface Prefix {
  readonly family: 4 | 6;
  readonly value: bigint;
  /** How many bits follow the prefix. */
  readonly shift: bigint;
}

/** How an IPv6 address carries IPv4: by a public convention, behind a translator of this network, or in its interface id. */
export interface CarriedIpv4 {
  readonly by: "convention" | "localTranslator" | "interfaceId";
  /** More than one where a translator may read the address in several ways. */
  readonly values: readonly bigint[];
}

/** Dotted decimal, or any form of IPv6 with or without a zone; null for all else. */
export function parseAddress(text: string): AddressValue | null {
  const ipv4 = parseIpv4(text);
  if (ipv4 !== null) return { family: 4, value: BigInt(ipv4) };
  const ipv6 = parseIpv6(text);
  return ipv6 === null ? null : { family: 6, value: ipv6 };
}

/** The network of an address and a number of bits; null when there are none such. Mapped networks are those of IPv4. */
export function parsePrefix(base: string, bits: number): Prefix | null {
  const address = parseAddress(base);
  if (address === null || bits < 0 || bits > (address.family === 4 ? 32 : 128)) return null;
  const isMapped = bits >= 96 && dialledAddress(address).family !== address.family;
  const { family, value } = isMapped ? dialledAddress(address) : address;
  const shift = BigInt((address.family === 4 ? 32 : 128) - bits);
  return { family, value: value >> shift, shift };
}

export function isWithin({ family, value }: AddressValue, prefix: Prefix): boolean {
  return family === prefix.family && value >> prefix.shift === prefix.value;
}

/** What the system dials: of an IPv4-mapped address the IPv4 address, else the address itself. */
export function dialledAddress(address: AddressValue): AddressValue {
  if (address.family === 4 || address.value >> 32n !== MAPPED) return address;
  return { family: 4, value: address.value & IPV4_MASK };
}

/** Every address that a packet to this one may reach: itself, and what it carries. */
export function reachedAddresses(address: AddressValue): readonly AddressValue[] {
  const carried = carriedIpv4(address)?.values ?? [];
  return [address, ...carried.map((value) => ({ family: 4, value }) as const)];
}

/** The IPv4 address behind an IPv6 one. Teredo is not among them: no such address is ever dialled. */
export function carriedIpv4({ family, value }: AddressValue): CarriedIpv4 | null {
  if (family === 4) return null;
  for (const [start, startBits, at] of CONVENTIONS) {
    if (value >> BigInt(128 - startBits) !== start) continue;
    return { by: "convention", values: [(value >> BigInt(96 - at)) & IPV4_MASK] };
  }
  if (value >> 80n === LOCAL_NAT64) return { by: "localTranslator", values: readings(value) };
  const marker = (value >> 32n) & IPV4_MASK;
  const isIsatap = marker === 0x5efen || marker === 0x2005efen;
  return isIsatap ? { by: "interfaceId", values: [value & IPV4_MASK] } : null;
}

const IPV4_MASK = 0xffffffffn;
/** ::ffff:0:0/96. */
const MAPPED = 0xffffn;
/** 64:ff9b:1::/48 (RFC 8215). */
const LOCAL_NAT64 = 0x0064_ff9b_0001n;

/** The start of the address, its bits, and the bit of the 128 at which IPv4 begins. */
const CONVENTIONS: readonly (readonly [start: bigint, bits: number, at: number])[] = [
  [MAPPED, 96, 96],
  // Translated, ::ffff:0:0:0/96 (RFC 2765).
  [0xffff_0000n, 96, 96],
  // NAT64, 64:ff9b::/96 (RFC 6052).
  [0x0064_ff9b_0000_0000_0000_0000n, 96, 96],
  // 6to4, 2002::/16 (RFC 3056).
  [0x2002n, 16, 16],
];

/** Where RFC 6052 puts IPv4 behind prefixes of 96, 48, 56 and 64 bits: which one the translator has can't be seen. */
function readings(value: bigint): readonly bigint[] {
  return [
    value & IPV4_MASK,
    (((value >> 64n) & 0xffffn) << 16n) | ((value >> 40n) & 0xffffn),
    (((value >> 64n) & 0xffn) << 24n) | ((value >> 32n) & 0xffffffn),
    (value >> 24n) & IPV4_MASK,
  ];
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
