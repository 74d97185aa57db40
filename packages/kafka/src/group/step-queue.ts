/** Carries out the steps of a member in order, also when the handler of one asks for more. */
export class StepQueue<Step> {
  readonly #carryOut: (step: Step) => void;
  readonly #steps: Step[] = [];
  #isRunning = false;

  constructor(carryOut: (step: Step) => void) {
    this.#carryOut = carryOut;
  }

  /** False: a run is under way, which takes these too. */
  run(steps: readonly Step[]): boolean {
    this.#steps.push(...steps);
    if (this.#isRunning) return false;
    this.#isRunning = true;
    try {
      for (let step = this.#steps.shift(); step; step = this.#steps.shift()) this.#carryOut(step);
    } finally {
      this.#isRunning = false;
    }
    return true;
  }
}
