import {
  type AddressValue,
  carriedIpv4,
  isWithin,
  type Prefix,
  parseAddress,
  parsePrefix,
} from "./address-value.ts";

/**
 * What kind of place an IP address is. Pure: text in, class out, no look-up.
 *
 * IPv6 addresses that carry an IPv4 address (mapped, translated, NAT64, 6to4) take the class of the address they carry, because that is
 * where a packet ends. Ranges: IANA special-purpose registries (RFC 6890 and successors).
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

type Row = readonly [prefix: Prefix, addressClass: AddressClass];

const rowsOf = (ranges: readonly Range[]): readonly Row[] =>
  ranges.flatMap(([base, bits, is]) => {
    const prefix = parsePrefix(base, bits);
    return prefix === null ? [] : [[prefix, is] as const];
  });

const ipv4Table = rowsOf(IPV4_RANGES);
const ipv6Table = rowsOf(IPV6_RANGES);

/** What counts behind a translator of this network; all else there is private. */
const BEHIND_TRANSLATOR: readonly AddressClass[] = ["metadata", "linkLocal", "loopback"];

/** The class of an address in text: dotted decimal, or any form of IPv6 with or without a zone. */
export function classifyAddress(text: string): AddressClass {
  const address = parseAddress(text);
  return address === null ? "invalid" : classOf(address);
}

export function classOf(address: AddressValue): AddressClass {
  if (address.family === 4) return classifyIpv4(address.value);
  const carried = carriedIpv4(address);
  const classes = carried?.values.map(classifyIpv4) ?? [];
  switch (carried?.by) {
    case "convention":
      return classes[0] ?? "reserved";
    case "localTranslator":
      return BEHIND_TRANSLATOR.find((is) => classes.includes(is)) ?? "private";
    case "interfaceId":
      // A tunnel to a place that isn't public, under a prefix that may be anybody's.
      if (classes[0] !== "public") return classes[0] === "metadata" ? "metadata" : "reserved";
      break;
    default:
      break;
  }
  return ipv6Table.find(([prefix]) => isWithin(address, prefix))?.[1] ?? "reserved";
}

function classifyIpv4(value: bigint): AddressClass {
  return ipv4Table.find(([prefix]) => isWithin({ family: 4, value }, prefix))?.[1] ?? "public";
}
