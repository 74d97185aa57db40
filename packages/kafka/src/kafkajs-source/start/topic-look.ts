import type { PenstockError } from "@penstock/core";
import type { KafkajsBrokers } from "../client/kafkajs-client.ts";

const WELL_INTERVAL_MS = 10_000;
const ILL_INTERVAL_MS = 2_000;

/** Looks whether the topic is there, every 10 s and every 2 s while something is wrong. What it reads is shared with everybody who needs it. */
export class TopicLook {
  readonly #client: KafkajsBrokers;
  readonly #tell: (problem: PenstockError | null) => void;
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;
  #isLooking = false;

  constructor(client: KafkajsBrokers, tell: (problem: PenstockError | null) => void) {
    this.#client = client;
    this.#tell = tell;
    void this.#look();
  }

  /** What is known may be old. */
  lookAgain(): void {
    this.#client.doubt();
    if (this.#isStopped || this.#isLooking) return;
    if (this.#timer) clearTimeout(this.#timer);
    void this.#look();
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer) clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    let problem: PenstockError | null = null;
    this.#isLooking = true;
    try {
      await this.#client.view();
    } catch (error) {
      problem = this.#client.problemOf(error, `topic "${this.#client.topic}"`);
    }
    this.#isLooking = false;
    if (this.#isStopped) return;
    this.#tell(problem);
    this.#timer = setTimeout(() => void this.#look(), problem ? ILL_INTERVAL_MS : WELL_INTERVAL_MS);
  }
}
