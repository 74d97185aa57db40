import type { Clock, FunctionCall, InvokeOutcome } from "@penstock/core";
import { type CallResult, notSent } from "../outcome/call-result.ts";
import type { GateWaiter } from "./call-gate.ts";
import type { CallTerms } from "./function-caller.ts";
import type { FunctionEntry } from "./function-entry.ts";
import type { PauseDetector } from "./pause-detector.ts";

/** What a pending call needs of its invoker. */
export interface CallHost {
  readonly clock: Clock;
  readonly pauses: PauseDetector;
  readonly slotWaitMaxMs: number;
  readonly answerBytesMax: number;
  ended(call: PendingCall, result: CallResult): void;
}

/**
 * One call from its receipt to its outcome: waits for a slot if it must, is sent once, ends once.
 *
 * It is never sent after a pause of the process that began while it waited, nor after it was abandoned.
 */
export class PendingCall implements CallTerms, GateWaiter {
  readonly call: FunctionCall;
  readonly entry: FunctionEntry;
  readonly isCaptured: boolean;
  readonly answerBytesMax: number;
  readonly done: (result: CallResult) => void;
  readonly #host: CallHost;
  readonly #epoch: number;
  readonly #receivedAtMs: number;
  #waitTimer: NodeJS.Timeout | null = null;
  #holdsSlot = false;
  #isAbandoned = false;
  #isDone = false;
  timeoutMs = 0;

  constructor(
    host: CallHost,
    entry: FunctionEntry,
    call: FunctionCall,
    isCaptured: boolean,
    done: (result: CallResult) => void,
  ) {
    this.#host = host;
    this.entry = entry;
    this.call = call;
    this.isCaptured = isCaptured;
    this.answerBytesMax = host.answerBytesMax;
    this.done = done;
    this.#epoch = host.pauses.check();
    this.#receivedAtMs = host.clock.nowMs();
  }

  get holdsSlot(): boolean {
    return this.#holdsSlot;
  }

  start(): void {
    const admission = this.entry.gate.enter(this, this.#receivedAtMs);
    if (admission === "admitted") this.admitted();
    else if (admission === "full") this.#refuse("too many calls wait for a slot of the function");
    else this.#waitTimer = setTimeout(onWaitEnd, this.#waitMaxMs(), this);
  }

  admitted(): void {
    this.#holdsSlot = true;
    if (this.#waitTimer !== null) clearTimeout(this.#waitTimer);
    if (!this.maySend()) {
      this.#refuse("the invoker was paused, or its caller is gone");
      return;
    }
    const waitedMs = this.#host.clock.nowMs() - this.#receivedAtMs;
    const leftMs = Math.min(this.entry.spec.timeoutMs, this.call.timeoutMs - waitedMs);
    if (leftMs < 1) {
      this.#refuse("no slot of the function within the deadline");
      return;
    }
    this.timeoutMs = Math.ceil(leftMs);
    this.entry.caller.start(this.call, this, (result) => this.#end(result));
  }

  maySend(): boolean {
    return !this.#isAbandoned && this.#host.pauses.check() === this.#epoch;
  }

  /** The caller is gone, or the process was paused: not to be sent if it was not sent yet. */
  abandon(): void {
    this.#isAbandoned = true;
    if (!this.#holdsSlot) this.#refuse("the invoker was paused, or its caller is gone");
  }

  waitEnded(): void {
    this.#refuse("no free slot of the function");
  }

  /** At most a quarter of the time, so that the function still gets most of it. */
  #waitMaxMs(): number {
    return Math.min(this.#host.slotWaitMaxMs, Math.ceil(this.call.timeoutMs / 4));
  }

  #refuse(message: string): void {
    if (this.#waitTimer !== null) clearTimeout(this.#waitTimer);
    this.entry.gate.cancel(this);
    const outcome: InvokeOutcome = { kind: "throttled", retryAfterMs: null, message };
    this.#end(notSent(outcome));
  }

  #end(result: CallResult): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#host.ended(this, result);
  }
}

function onWaitEnd(call: PendingCall): void {
  call.waitEnded();
}
