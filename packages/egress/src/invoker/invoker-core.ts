import { PenstockError } from "@penstock/core";
import type { fleet, mapping } from "@penstock/proto";
import { FunctionInvoker, type FunctionInvokerOptions } from "./function-invoker.ts";
import { functionSpecOf } from "./function-message.ts";

/**
 * What the fleet stream tells an invoker, applied to a `FunctionInvoker`: functions come and go, concurrency shares are leased. Works with the
 * last state when the stream is away; shares lapse by themselves.
 */
export interface InvokerCoreOptions extends FunctionInvokerOptions {
  /** A function of the fleet that can't be called here: a newer version of Penstock, or a damaged entry. */
  readonly onUnusable?: (functionName: string, error: PenstockError) => void;
}

export class InvokerCore {
  readonly invoker: FunctionInvoker;
  readonly #onUnusable: (functionName: string, error: PenstockError) => void;
  #hasFunctions = false;

  constructor(options: InvokerCoreOptions) {
    this.invoker = new FunctionInvoker(options);
    this.#onUnusable = options.onUnusable ?? (() => {});
  }

  /** Whether a snapshot of the functions has ever come. */
  get hasFunctions(): boolean {
    return this.#hasFunctions;
  }

  /** Applies a message; those that are for pollers are ignored. */
  apply(response: fleet.JoinResponse): void {
    const { message } = response;
    if (message.case === "functions") this.#applyFunctions(message.value);
    else if (message.case === "concurrencyShares") this.#applyShares(message.value);
  }

  #applyFunctions(functions: fleet.Functions): void {
    if (functions.isSnapshot) {
      const present = new Set(functions.changed.map((changed) => changed.name));
      for (const name of [...this.invoker.names()]) {
        if (!present.has(name)) this.invoker.remove(name);
      }
      this.#hasFunctions = true;
    }
    for (const name of functions.removed) this.invoker.remove(name);
    for (const changed of functions.changed) this.#set(changed);
  }

  #set(changed: mapping.Function): void {
    try {
      this.invoker.set(functionSpecOf(changed));
    } catch (error) {
      if (!(error instanceof PenstockError) && !(error instanceof TypeError)) throw error;
      this.invoker.remove(changed.name);
      const unusable =
        error instanceof PenstockError
          ? error
          : new PenstockError("invalidArgument", "The function's target is not valid.", {
              cause: error,
            });
      this.#onUnusable(changed.name, unusable);
    }
  }

  #applyShares(message: fleet.ConcurrencyShares): void {
    const shares = new Map(message.shares.map((share) => [share.functionName, share.callsMax]));
    const { lease } = message;
    const leaseMs = lease === undefined ? 0 : Number(lease.seconds) * 1000 + lease.nanos / 1e6;
    this.invoker.setShares(shares, leaseMs);
  }
}
