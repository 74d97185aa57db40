import { RepeatingTask, type RepeatingTaskOptions } from "./repeating-task.ts";

/** A part of the fleet whose work repeats: soon after `wake`, and at least every interval, from `start` to `stop`. */
export abstract class RepeatedWork {
  readonly #task: RepeatingTask;

  constructor(options: Omit<RepeatingTaskOptions, "work">) {
    this.#task = new RepeatingTask({ ...options, work: () => this.work() });
  }

  start(): void {
    this.#task.start();
  }

  /** No run starts any more; resolves when the present one has ended. */
  stop(): Promise<void> {
    return this.#task.stop();
  }

  wake(): void {
    this.#task.wake();
  }

  protected abstract work(): Promise<void>;
}
