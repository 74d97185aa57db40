import type { PenstockError } from "@penstock/core";

/** What is wrong at present, by what it concerns; tells the listener when the one to show becomes another. */
export class ProblemBoard<S> {
  readonly #listener: (problem: PenstockError | null) => void;
  readonly #problems = new Map<S, PenstockError>();
  #shown: PenstockError | null = null;

  constructor(listener: (problem: PenstockError | null) => void) {
    this.#listener = listener;
  }

  set(subject: S, problem: PenstockError): void {
    this.#problems.set(subject, problem);
    this.#show();
  }

  clear(subject: S): void {
    if (this.#problems.delete(subject)) this.#show();
  }

  /** The oldest subject's problem: a stable choice. */
  #show(): void {
    const next: PenstockError | null = this.#problems.values().next().value ?? null;
    const before = this.#shown;
    this.#shown = next;
    if (next?.code !== before?.code || next?.message !== before?.message) this.#listener(next);
  }
}
