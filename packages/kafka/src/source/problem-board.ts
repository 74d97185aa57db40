import type { PenstockError } from "@penstock/core";

/** The parts of a record source that can be in trouble, the most telling first. */
const PARTS = ["topic", "membership", "start", "commit", "fetch"] as const;
export type ProblemPart = (typeof PARTS)[number];

/** Makes one present problem of the problems of the parts, and tells it when it changes. */
export class ProblemBoard {
  readonly #tell: (problem: PenstockError | null) => void;
  readonly #problems = new Map<ProblemPart, PenstockError>();
  #told: PenstockError | null = null;

  constructor(tell: (problem: PenstockError | null) => void) {
    this.#tell = tell;
  }

  set(part: ProblemPart, problem: PenstockError | null): void {
    if (problem) this.#problems.set(part, problem);
    else if (!this.#problems.delete(part)) return;
    const present = this.#present();
    const isSame = present?.code === this.#told?.code && present?.message === this.#told?.message;
    this.#told = present;
    if (!isSame) this.#tell(present);
  }

  #present(): PenstockError | null {
    for (const part of PARTS) {
      const problem = this.#problems.get(part);
      if (problem) return problem;
    }
    return null;
  }
}
