import {
  type Clock,
  type FunctionCall,
  type FunctionSpec,
  type InvokeOutcome,
  type Invoker,
  invariant,
} from "@penstock/core";
import type { AddressGuard } from "../address/address-guard.ts";
import { type CallResult, notSent } from "../outcome/call-result.ts";
import { CallGate } from "./call-gate.ts";
import { CallerFactory } from "./caller-factory.ts";
import { EGRESS_LIMITS_DEFAULT, type EgressLimits } from "./egress-limits.ts";
import { type FunctionEntry, formatOf, hasSameTarget } from "./function-entry.ts";
import { PauseDetector } from "./pause-detector.ts";
import { PendingCall } from "./pending-call.ts";

/**
 * The invoker port in process: knows the functions, gives slots, calls, says how it ended. Used by the invoker service, by the
 * standalone form and by a poller with an embedded invoker.
 *
 *   invoke ─▶ known? revision? bytes? ─▶ slot (bounded wait) ─▶ HTTP or gRPC ─▶ outcome
 *
 * Refusals before the call cost no attempt. A function with `max_concurrency` is called only under an unlapsed share.
 */
export interface FunctionInvokerOptions {
  readonly clock: Clock;
  readonly guard: AddressGuard;
  readonly limits?: Partial<EgressLimits>;
  readonly observer?: CallObserver;
}

/** Told of each end of a call, for metrics. */
export interface CallObserver {
  ended(functionName: string, result: CallResult, payloadBytes: number): void;
}

/** Use of one function's slots now. */
export interface SlotUse {
  readonly functionName: string;
  readonly inFlight: number;
  readonly waiting: number;
  /** Calls that may be in flight here now. */
  readonly callsMax: number;
  /** Whether the fleet limits the function (`max_concurrency`). */
  readonly isLimited: boolean;
}

/** A call under way; `abandon` keeps it from being made if it was not made yet. */
export interface StartedCall {
  abandon(): void;
}

export class FunctionInvoker implements Invoker {
  readonly pauses: PauseDetector;
  readonly #clock: Clock;
  readonly #limits: EgressLimits;
  readonly #observer: CallObserver | null;
  readonly #callers: CallerFactory;
  readonly #entries = new Map<string, FunctionEntry>();
  readonly #pending = new Set<PendingCall>();
  readonly #host: ConstructorParameters<typeof PendingCall>[0];
  #payloadBytes = 0;

  constructor(options: FunctionInvokerOptions) {
    this.#clock = options.clock;
    this.#limits = { ...EGRESS_LIMITS_DEFAULT, ...options.limits };
    this.#observer = options.observer ?? null;
    this.#callers = new CallerFactory(options.clock, options.guard, this.#limits);
    this.pauses = new PauseDetector(options.clock);
    this.pauses.onPause(() => this.#abandonAll());
    this.#host = {
      clock: this.#clock,
      pauses: this.pauses,
      slotWaitMaxMs: this.#limits.slotWaitMaxMs,
      answerBytesMax: this.#limits.answerBytesMax,
      ended: (call, result) => this.#ended(call, result),
    };
  }

  /** Adds a function or replaces it by another revision. Calls under way end as they began. */
  set(spec: FunctionSpec): void {
    const old = this.#entries.get(spec.name);
    const gate =
      old?.gate ??
      new CallGate({
        callsMax: this.#limits.functionCallsMax,
        waitingMax: this.#limits.functionWaitingMax,
      });
    // A limit that is new here starts with no share; one that is gone leaves none behind.
    const hadLimit = old !== undefined && old.spec.maxConcurrency !== null;
    if (spec.maxConcurrency === null) gate.setShare(null, this.#clock.nowMs());
    else if (!hadLimit) gate.setShare({ callsMax: 0, lapsesAtMs: 0 }, this.#clock.nowMs());
    const keeps = old !== undefined && hasSameTarget(old.spec, spec);
    if (old !== undefined && !keeps) old.caller.close();
    const caller = keeps ? old.caller : this.#callers.create(spec);
    this.#entries.set(spec.name, { spec, caller, gate });
  }

  remove(name: string): void {
    this.#entries.get(name)?.caller.close();
    this.#entries.delete(name);
  }

  get(name: string): FunctionSpec | undefined {
    return this.#entries.get(name)?.spec;
  }

  names(): Iterable<string> {
    return this.#entries.keys();
  }

  /** All shares of this process, valid for `leaseMs` from now. A function with a limit that is not named gets none. */
  setShares(shares: ReadonlyMap<string, number>, leaseMs: number): void {
    const nowMs = this.#clock.nowMs();
    const lapsesAtMs = nowMs + leaseMs;
    for (const [name, entry] of this.#entries) {
      if (entry.spec.maxConcurrency === null) continue;
      entry.gate.setShare({ callsMax: shares.get(name) ?? 0, lapsesAtMs }, nowMs);
    }
  }

  /** Slots of the functions. */
  *use(): Iterable<SlotUse> {
    const nowMs = this.#clock.nowMs();
    for (const [functionName, { spec, gate }] of this.#entries) {
      yield {
        functionName,
        inFlight: gate.inFlight,
        waiting: gate.waiting,
        callsMax: gate.limit(nowMs),
        isLimited: spec.maxConcurrency !== null,
      };
    }
  }

  /** Calls that run or wait, and the bytes of their payloads. */
  get load(): { readonly calls: number; readonly payloadBytes: number } {
    return { calls: this.#pending.size, payloadBytes: this.#payloadBytes };
  }

  invoke(call: FunctionCall): Promise<InvokeOutcome> {
    return new Promise((resolve) => {
      this.start(call, (result) => resolve(result.outcome));
    });
  }

  /** A call whose answer is kept (trial). The revision is not compared: the caller names none. */
  invokeCaptured(call: FunctionCall): Promise<CallResult> {
    return new Promise((resolve) => this.#start(call, true, resolve));
  }

  /** As `invoke`, without a promise; `done` may be called before it returns (then the answer is null). */
  start(call: FunctionCall, done: (result: CallResult) => void): StartedCall | null {
    return this.#start(call, false, done);
  }

  /** Refuses what waits; calls in flight are cut. */
  async close(): Promise<void> {
    this.#abandonAll();
    this.pauses.close();
    for (const name of [...this.#entries.keys()]) this.remove(name);
    await this.#callers.close();
  }

  #start(
    call: FunctionCall,
    isCaptured: boolean,
    done: (result: CallResult) => void,
  ): StartedCall | null {
    const entry = this.#entries.get(call.functionName);
    const refusal = entry === undefined ? UNKNOWN : this.#refusalOf(entry, call, isCaptured);
    if (entry === undefined || refusal !== null) {
      done(notSent(refusal ?? UNKNOWN));
      return null;
    }
    const pending = new PendingCall(this.#host, entry, call, isCaptured, done);
    this.#pending.add(pending);
    this.#payloadBytes += call.payload.length;
    pending.start();
    return pending;
  }

  #refusalOf(entry: FunctionEntry, call: FunctionCall, isTrial: boolean): InvokeOutcome | null {
    const { spec } = entry;
    if (!isTrial && (spec.revision !== call.functionRevision || formatOf(entry) !== call.format)) {
      const message = `the invoker knows revision ${spec.revision}, the call is for ${call.functionRevision}`;
      return { kind: "staleFunction", message };
    }
    if (this.#payloadBytes + call.payload.length > this.#limits.payloadBytesInFlightMax) {
      // A payload over the whole limit still runs alone: it could never run otherwise.
      if (this.#payloadBytes > 0) return OVERLOADED;
    }
    return null;
  }

  #ended(pending: PendingCall, result: CallResult): void {
    const isKnown = this.#pending.delete(pending);
    invariant(isKnown, "a call ended twice");
    this.#payloadBytes -= pending.call.payload.length;
    this.#observer?.ended(pending.call.functionName, result, pending.call.payload.length);
    pending.done(result);
    if (pending.holdsSlot) pending.entry.gate.release(this.#clock.nowMs());
  }

  #abandonAll(): void {
    for (const pending of [...this.#pending]) pending.abandon();
  }
}

const UNKNOWN: InvokeOutcome = {
  kind: "unknownFunction",
  message: "the invoker does not know the function",
};
const OVERLOADED: InvokeOutcome = {
  kind: "throttled",
  retryAfterMs: null,
  message: "the invoker holds as many payload bytes as it may",
};
