import { afterChange, type Flapping, mayChange, PenstockError, STEADY } from "@penstock/core";
import type { FunctionTrouble } from "./function-trouble.ts";

/** A trouble that passes by itself as a rule is a problem when it has lasted for so long. */
const PASSING_MAX_MS = 10_000;

interface LaneTrouble {
  readonly sinceMs: number;
  readonly trouble: FunctionTrouble;
}

/**
 * The one present problem of an event poller: of the way to the brokers, else of a lane that has stopped, else of the function.
 *
 * A lane's trouble with the function lasts from a failed call to the next success of that lane. What comes and goes is told less and less often; the rest
 * at once. Lanes are compared by identity.
 */
export class ProblemDesk {
  readonly #nowMs: () => number;
  readonly #tell: (problem: PenstockError | null) => void;
  readonly #stopped = new Map<object, PenstockError>();
  readonly #troubles = new Map<object, LaneTrouble>();
  #source: PenstockError | null = null;
  /** Of the function, as it is told. */
  #shown: PenstockError | null = null;
  #flapping: Flapping = STEADY;
  #told: PenstockError | null = null;

  constructor(nowMs: () => number, tell: (problem: PenstockError | null) => void) {
    this.#nowMs = nowMs;
    this.#tell = tell;
  }

  get present(): PenstockError | null {
    const [stopped = null] = this.#stopped.values();
    return this.#source ?? stopped ?? this.#shown;
  }

  /** The present problem of the way to the brokers. */
  source(problem: PenstockError | null): void {
    this.#source = problem;
    this.#say();
  }

  /** The lane has stopped for good: an operator decides. */
  stopped(lane: object, reason: string): void {
    this.#stopped.set(lane, new PenstockError("kafkaOffsetAboveEnd", reason));
    this.#say();
  }

  failed(lane: object, trouble: FunctionTrouble): void {
    const sinceMs = this.#troubles.get(lane)?.sinceMs ?? this.#nowMs();
    this.#troubles.set(lane, { sinceMs, trouble });
    this.review();
  }

  succeeded(lane: object): void {
    if (this.#troubles.delete(lane)) this.review();
  }

  /** The lane has ended. */
  forget(lane: object): void {
    this.#stopped.delete(lane);
    this.#troubles.delete(lane);
    this.review();
    this.#say();
  }

  /** Once a second: what had to wait may be due. */
  review(): void {
    const wanted = this.#functionProblem();
    if (areSame(wanted, this.#shown)) return;
    const nowMs = this.#nowMs();
    if (!mayChange(this.#flapping, nowMs, wanted === null)) return;
    this.#flapping = afterChange(this.#flapping, nowMs, wanted?.code ?? null);
    this.#shown = wanted;
    this.#say();
  }

  /** Of the lane that has been in trouble for longest. */
  #functionProblem(): PenstockError | null {
    const nowMs = this.#nowMs();
    for (const { sinceMs, trouble } of this.#troubles.values()) {
      if (!trouble.isPassing || nowMs - sinceMs >= PASSING_MAX_MS) return trouble.problem;
    }
    return null;
  }

  #say(): void {
    const { present } = this;
    if (areSame(present, this.#told)) return;
    this.#told = present;
    this.#tell(present);
  }
}

function areSame(a: PenstockError | null, b: PenstockError | null): boolean {
  return a?.code === b?.code && a?.message === b?.message;
}
