import { isIP, type LookupFunction } from "node:net";
import { networkInterfaces } from "node:os";
import { PenstockError } from "@penstock/core";
import { type AddressClass, classOf } from "./address-class.ts";
import type { AddressRules } from "./address-rules.ts";
import {
  type AddressValue,
  dialledAddress,
  parseAddress,
  reachedAddresses,
} from "./address-value.ts";
import { type AddressLookup, NameLookups } from "./name-lookups.ts";

/**
 * Decides whether an address may be dialled, at the moment of connecting and on the address itself; a name counts only where the operator
 * listed it.
 *
 *     metadata, link-local, multicast, unspecified, reserved ─▶ never
 *     denied by a rule, a port of Penstock itself            ─▶ never
 *     a list of allowed places, when there is one            ─▶ these and nothing else
 *     else: public ─▶ yes    loopback, private ─▶ only when the operator allows them
 *
 * Addresses compare as numbers, whatever their spelling. What is never dialled isn't dialled by an IPv6 address that carries it either; a list of
 * allowed places is asked about the address that the system dials alone. Of a name with several addresses the allowed ones are dialled.
 */
export interface AddressGuardOptions {
  /** Loopback and private addresses, where no list says it more precisely. */
  readonly allowPrivateAddresses: boolean;
  /** The setting that a refusal of such an address names. */
  readonly privateSetting?: string;
  /** Ports of Penstock's own services. Asked at each check: a service may learn its port late. */
  readonly ownPorts: () => Iterable<number>;
  /** Addresses of this machine; the system's unless a test brings its own. */
  readonly ownAddresses?: () => Iterable<string>;
  /** The only places that may be dialled; null or absent = no list. `setting` is what a refusal names. */
  readonly allowed?: { readonly rules: AddressRules; readonly setting: string } | null;
  /** Places that may never be dialled. */
  readonly denied?: AddressRules | null;
  /** Shared by the guards of a process; else made of the two below. */
  readonly lookups?: NameLookups;
  /** Look-up of names; the system's unless a test brings its own. */
  readonly lookup?: AddressLookup;
  /** Most look-ups at once. */
  readonly lookupsMax?: number;
}

export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

export class AddressGuard {
  readonly #options: AddressGuardOptions;
  readonly #lookups: NameLookups;

  constructor(options: AddressGuardOptions) {
    this.#options = options;
    this.#lookups = options.lookups ?? new NameLookups(options);
  }

  /** The reason why `address:port` may not be dialled, null when it may. `host`: the name that led to it. */
  denial(address: string, port: number, host: string | null = null): string | null {
    const { ownPorts, allowed, denied: never, allowPrivateAddresses } = this.#options;
    const parsed = parseAddress(address);
    const is = parsed === null ? "invalid" : classOf(parsed);
    if (parsed === null || NEVER.has(is)) return `address is ${WORDS[is]}`;
    const reached = reachedAddresses(parsed);
    const place = { addressClass: is, port, host };
    if (never?.matches({ ...place, addresses: reached })) {
      return `address is listed in ${DENIED_SETTING}`;
    }
    if (isOneOf(port, ownPorts()) && (is !== "public" || this.#isOfThisMachine(reached))) {
      return `port ${port} belongs to Penstock itself`;
    }
    if (allowed) {
      const isListed = allowed.rules.matches({ ...place, addresses: [dialledAddress(parsed)] });
      return isListed ? null : `address is not listed in ${allowed.setting}`;
    }
    if (is === "public" || allowPrivateAddresses) return null;
    const setting = this.#options.privateSetting ?? "PENSTOCK_ALLOW_PRIVATE_ADDRESSES";
    return `address is ${WORDS[is]}, which ${setting} does not allow`;
  }

  /** Throws unless `address:port` may be dialled. */
  check(address: string, port: number, host: string | null = null): void {
    const reason = this.denial(address, port, host);
    if (reason !== null) throw denied(reason);
  }

  /** The addresses of a host (name, IPv4 in any form, IPv6 with or without brackets) that may be dialled; at least one. */
  async resolve(host: string, port: number): Promise<ResolvedAddress[]> {
    return await new Promise((resolve, reject) => {
      this.#resolve(host, port, (error, addresses) => {
        if (error === null) resolve(addresses);
        else reject(error);
      });
    });
  }

  /**
   * A `lookup` for `net.connect` to `port`, which dials what it is given. It is not called for IP literals: check those first.
   */
  lookupFor(port: number): LookupFunction {
    return (host, options, callback) => {
      this.#resolve(host, port, (error, addresses) => {
        const first = addresses[0];
        if (error !== null || first === undefined) callback(error ?? denied("no address"), "", 0);
        else if (options.all === true) callback(null, addresses);
        else callback(null, first.address, first.family);
      });
    };
  }

  /** Whether one of the addresses is bound to an interface here. */
  #isOfThisMachine(reached: readonly AddressValue[]): boolean {
    for (const text of (this.#options.ownAddresses ?? addressesOfThisMachine)()) {
      const own = parseAddress(text);
      if (reached.some(({ family, value }) => family === own?.family && value === own.value)) {
        return true;
      }
    }
    return false;
  }

  #resolve(
    host: string,
    port: number,
    callback: (error: Error | null, addresses: ResolvedAddress[]) => void,
  ): void {
    const bare = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
    const family = isIP(bare);
    if (family !== 0) {
      const reason = this.denial(bare, port);
      if (reason !== null) callback(denied(reason), []);
      else callback(null, [{ address: bare, family: family === 6 ? 6 : 4 }]);
      return;
    }
    this.#lookups.lookUp(bare, (error, addresses) => {
      if (error !== null) {
        callback(error, []);
        return;
      }
      let reason = "the name has no address";
      const allowed: ResolvedAddress[] = [];
      for (const { address, family: of } of addresses) {
        const refusal = this.denial(address, port, bare);
        if (refusal === null) allowed.push({ address, family: of === 6 ? 6 : 4 });
        else reason = refusal;
      }
      callback(allowed.length > 0 ? null : denied(reason), allowed);
    });
  }
}

/** The guard as a function for clients that dial addresses themselves (the Kafka client): those that may be dialled, at least one. */
export function dialGuard(
  guard: AddressGuard,
): (host: string, port: number) => Promise<readonly ResolvedAddress[]> {
  return (host, port) => guard.resolve(host, port);
}

const DENIED_SETTING = "PENSTOCK_DENIED_ADDRESSES";

const NEVER: ReadonlySet<AddressClass> = new Set([
  "linkLocal",
  "metadata",
  "multicast",
  "unspecified",
  "reserved",
  "invalid",
]);

const WORDS: Record<AddressClass, string> = {
  public: "public",
  loopback: "a loopback address",
  private: "a private address",
  linkLocal: "link-local",
  metadata: "a cloud metadata service",
  multicast: "multicast",
  unspecified: "unspecified",
  reserved: "reserved",
  invalid: "not an IP address",
};

function denied(reason: string): PenstockError {
  return new PenstockError("addressDenied", `The address guard refuses the target: ${reason}.`);
}

function isOneOf(port: number, ports: Iterable<number>): boolean {
  for (const own of ports) if (own === port) return true;
  return false;
}

function* addressesOfThisMachine(): Iterable<string> {
  for (const entries of Object.values(networkInterfaces())) {
    for (const { address } of entries ?? []) yield address;
  }
}
