import { type LookupAddress, lookup as systemLookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { networkInterfaces } from "node:os";
import { PenstockError } from "@penstock/core";
import { type AddressClass, classifyAddress } from "./address-class.ts";

/**
 * Decides whether an address may be dialled, at the moment of connecting and on the address itself, never on a name.
 *
 * Metadata, link-local, multicast, unspecified and reserved addresses never; loopback and private ones only when the operator
 * allows them; ports of Penstock itself never, wherever they are not on the public internet. Of a name with several addresses
 * the allowed ones are dialled.
 */
export interface AddressGuardOptions {
  readonly allowPrivateAddresses: boolean;
  /** Ports of Penstock's own services. Asked at each check: a service may learn its port late. */
  readonly ownPorts: () => Iterable<number>;
  /** Look-up of names; the system's unless a test brings its own. */
  readonly lookup?: AddressLookup;
  /** Most look-ups at once. They run on the thread pool that files and compression use too. */
  readonly lookupsMax?: number;
}

export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

export type AddressLookup = (
  host: string,
  callback: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void;

const LOOKUPS_MAX_DEFAULT = 16;
/** Names that wait for a look-up: beyond it, new ones fail at once. */
const LOOKUPS_WAITING_MAX = 1024;

type LookupWaiter = (error: Error | null, addresses: readonly LookupAddress[]) => void;

export class AddressGuard {
  readonly #options: AddressGuardOptions;
  readonly #lookup: AddressLookup;
  readonly #lookupsMax: number;
  /** Callers of the same name share one look-up. */
  readonly #pending = new Map<string, LookupWaiter[]>();
  readonly #queued: string[] = [];
  #running = 0;

  constructor(options: AddressGuardOptions) {
    this.#options = options;
    this.#lookup =
      options.lookup ?? ((host, callback) => systemLookup(host, { all: true }, callback));
    this.#lookupsMax = options.lookupsMax ?? LOOKUPS_MAX_DEFAULT;
  }

  /** The reason why `address:port` may not be dialled, null when it may. */
  denial(address: string, port: number): string | null {
    const is = classifyAddress(address);
    if (NEVER.has(is)) return `address is ${WORDS[is]}`;
    if (is !== "public" && !this.#options.allowPrivateAddresses) {
      return `address is ${WORDS[is]}, and PENSTOCK_ALLOW_PRIVATE_ADDRESSES is off`;
    }
    if (is === "public" && !isOfThisMachine(address)) return null;
    for (const own of this.#options.ownPorts()) {
      if (own === port) return `port ${port} belongs to Penstock itself`;
    }
    return null;
  }

  /** Throws unless `address:port` may be dialled. */
  check(address: string, port: number): void {
    const reason = this.denial(address, port);
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
    this.#lookUp(bare, (error, addresses) => {
      if (error !== null) {
        callback(error, []);
        return;
      }
      let reason = "the name has no address";
      const allowed: ResolvedAddress[] = [];
      for (const { address, family: of } of addresses) {
        const refusal = this.denial(address, port);
        if (refusal === null) allowed.push({ address, family: of === 6 ? 6 : 4 });
        else reason = refusal;
      }
      callback(allowed.length > 0 ? null : denied(reason), allowed);
    });
  }

  #lookUp(host: string, waiter: LookupWaiter): void {
    const waiters = this.#pending.get(host);
    if (waiters !== undefined) {
      waiters.push(waiter);
      return;
    }
    if (this.#pending.size >= LOOKUPS_WAITING_MAX) {
      waiter(new PenstockError("unavailable", "Too many names wait for their address."), []);
      return;
    }
    this.#pending.set(host, [waiter]);
    this.#queued.push(host);
    this.#startLookups();
  }

  #startLookups(): void {
    while (this.#running < this.#lookupsMax) {
      const host = this.#queued.shift();
      if (host === undefined) return;
      this.#running++;
      this.#lookup(host, (error, addresses) => {
        this.#running--;
        const waiters = this.#pending.get(host) ?? [];
        this.#pending.delete(host);
        for (const waiter of waiters) waiter(error, addresses ?? []);
        this.#startLookups();
      });
    }
  }
}

/** The guard as a function for clients that dial one address themselves (the Kafka client): resolves, checks, gives the first. */
export function createAddressGuard(options: {
  readonly allowPrivateAddresses: boolean;
  readonly ownPorts?: () => Iterable<number>;
}): (host: string, port: number) => Promise<ResolvedAddress> {
  const guard = new AddressGuard({
    allowPrivateAddresses: options.allowPrivateAddresses,
    ownPorts: options.ownPorts ?? (() => []),
  });
  return async (host, port) => {
    const [first] = await guard.resolve(host, port);
    if (first === undefined) throw denied("the name has no address");
    return first;
  };
}

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

/** Whether a public address is bound to an interface here. */
function isOfThisMachine(address: string): boolean {
  for (const entries of Object.values(networkInterfaces())) {
    if (entries?.some((entry) => entry.address === address)) return true;
  }
  return false;
}
