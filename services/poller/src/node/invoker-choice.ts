import type { Clock, Invoker } from "@penstock/core";
import type { fleet } from "@penstock/proto";
import type { ClientSecurity, InvokerChoice, Logger } from "@penstock/runtime";
import { InvokerPool } from "../invoker-client/invoker-pool.ts";

/** The invokers that a node uses, and how it hears of changes. */
export interface ChosenInvokers {
  readonly invoker: Invoker;
  fleetChanged(invokers: readonly fleet.Invoker[]): void;
  /** Streams to invokers, and how each is. */
  connections(): Iterable<{ readonly address: string; readonly state: string }>;
  close(): Promise<void>;
}

export interface InvokerOptions {
  readonly choice: InvokerChoice;
  /** The invoker of the same process, when there is one: it wins over the choice. */
  readonly local: Invoker | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly security: ClientSecurity;
}

/** In process, a fixed list, or those that the fleet announces. */
export function chooseInvokers(options: InvokerOptions): ChosenInvokers {
  const { choice, local, clock, log, security } = options;
  if (local !== undefined) {
    return { invoker: local, fleetChanged() {}, connections: () => [], async close() {} };
  }
  const pool = new InvokerPool({ clock, log, security, random: Math.random });
  if (choice.kind === "addresses") {
    pool.setInvokers(choice.addresses.map((address) => ({ nodeId: address, address })));
  }
  return {
    invoker: pool,
    fleetChanged(invokers) {
      if (choice.kind === "fleet") pool.setInvokers(invokers);
    },
    connections: () => pool.connections(),
    async close() {
      pool.close();
    },
  };
}
