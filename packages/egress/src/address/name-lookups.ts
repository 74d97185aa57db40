import { type LookupAddress, lookup as systemLookup } from "node:dns";
import { PenstockError } from "@penstock/core";

/** A look-up of all addresses of a name. */
export type AddressLookup = (
  host: string,
  callback: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void;

type Waiter = Parameters<AddressLookup>[1];

const LOOKUPS_MAX_DEFAULT = 16;
/** Names that wait for a look-up: beyond it, new ones fail at once. */
const LOOKUPS_WAITING_MAX = 1024;

/**
 * Looks names up, a bounded number at once: the system's look-ups run on the thread pool that files and compression use too.
 * Callers of the same name share one look-up.
 */
export class NameLookups {
  readonly #lookup: AddressLookup;
  readonly #lookupsMax: number;
  readonly #pending = new Map<string, Waiter[]>();
  readonly #queued: string[] = [];
  #running = 0;

  constructor(options: { readonly lookup?: AddressLookup; readonly lookupsMax?: number } = {}) {
    this.#lookup =
      options.lookup ?? ((host, callback) => systemLookup(host, { all: true }, callback));
    this.#lookupsMax = options.lookupsMax ?? LOOKUPS_MAX_DEFAULT;
  }

  lookUp(host: string, waiter: Waiter): void {
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
    this.#start();
  }

  #start(): void {
    while (this.#running < this.#lookupsMax) {
      const host = this.#queued.shift();
      if (host === undefined) return;
      this.#running++;
      this.#lookup(host, (error, addresses) => {
        this.#running--;
        const waiters = this.#pending.get(host) ?? [];
        this.#pending.delete(host);
        for (const waiter of waiters) waiter(error, addresses ?? []);
        this.#start();
      });
    }
  }
}
