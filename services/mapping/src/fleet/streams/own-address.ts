import { lookup } from "node:dns/promises";
import { BlockList, isIP, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { setTimeout as after } from "node:timers/promises";
import { PenstockError } from "@penstock/core";
import { type Caller, type Peer, parseAddress } from "@penstock/runtime";

const LOOKUP_MS_MAX = 5_000;

/**
 * Whether a node may say that it is reached at this address: the others go there and show their tokens. It may be
 *
 * - a host that its credential lists (`hosts`); then no other;
 * - a name or address of its client certificate;
 * - the address that it calls from, or a name that resolves to it. All addresses of this machine are one.
 *
 * While nobody has to authenticate there is no token to show, and anything goes.
 *
 * @throws PenstockError `permissionDenied` that says what to set
 */
export async function requireOwnAddress(
  address: string,
  caller: Caller,
  peer: Peer,
  resolve: (host: string) => Promise<readonly string[]> = resolveInTime,
): Promise<void> {
  if (caller.nodeServices === undefined) return;
  const host = parseAddress(address)?.host.toLowerCase() ?? "";
  if (caller.nodeHosts !== undefined) {
    if (caller.nodeHosts.has(host)) return;
    const message = `The credential ${caller.subject} is not for a node at ${host} (PENSTOCK_ADVERTISED_HOST), but at one of its hosts.`;
    throw new PenstockError("permissionDenied", message);
  }
  if (peer.isCertifiedFor(host)) return;
  const addresses = isIP(host) === 0 ? await resolve(host) : [host];
  if (peer.address !== null && isSameHost(peer.address, addresses)) return;
  const where = addresses.length === 0 ? "does not resolve" : `is ${addresses.join(", ")}`;
  throw new PenstockError(
    "permissionDenied",
    `The node calls from ${peer.address ?? "nowhere"}, and its host ${host} ${where}: set PENSTOCK_ADVERTISED_HOST to a name or address of the node as the mapping service sees it, or list ${host} under the hosts of the credential ${caller.subject}.`,
  );
}

function isSameHost(peer: string, addresses: readonly string[]): boolean {
  const theirs = listOf([peer]);
  if (addresses.some((address) => isIn(theirs, address))) return true;
  const ours = listOf(
    Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .map((one) => one.address),
  );
  ours.addSubnet("127.0.0.0", 8);
  return isIn(ours, peer) && addresses.some((address) => isIn(ours, address));
}

function listOf(addresses: readonly string[]): BlockList {
  const list = new BlockList();
  for (const address of addresses) list.addAddress(plain(address), familyOf(address));
  return list;
}

function isIn(list: BlockList, address: string): boolean {
  return list.check(plain(address), familyOf(address));
}

/** Without the zone of a link-local address, and an IPv4 address of an IPv6 listener as itself. */
function plain(address: string): string {
  return (address.split("%", 1)[0] ?? "").replace(/^::ffff:(?=\d+\.)/i, "");
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIPv6(plain(address)) ? "ipv6" : "ipv4";
}

/** Empty when it doesn't resolve, or not in time: the node tries again. */
async function resolveInTime(host: string): Promise<readonly string[]> {
  const end = new AbortController();
  try {
    const found = lookup(host, { all: true }).catch(() => []);
    const late = after(LOOKUP_MS_MAX, [], { signal: end.signal, ref: false }).catch(() => []);
    return (await Promise.race([found, late])).map(({ address }) => address);
  } finally {
    end.abort();
  }
}
