/**
 * Looks whether the topic is there. A member of a group that subscribes to a missing topic is told nothing, it just owns nothing,
 * so somebody has to look: every 30 s, every 2 s while something is wrong, and at once when everything was asked back. Sources of the same
 * topic share the answer.
 */
import { PenstockError } from "@penstock/core";
import type { Cluster } from "../cluster/cluster.ts";

const WELL_INTERVAL_MS = 30_000;
const ILL_INTERVAL_MS = 2_000;

export class TopicWatch {
  readonly #cluster: Cluster;
  readonly #topic: string;
  readonly #tell: (problem: PenstockError | null) => void;
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;
  #isLooking = false;

  constructor(cluster: Cluster, topic: string, tell: (problem: PenstockError | null) => void) {
    this.#cluster = cluster;
    this.#topic = topic;
    this.#tell = tell;
    void this.#look();
  }

  /** What is cached may be old. */
  lookAgain(): void {
    this.#cluster.invalidate(this.#topic);
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
      await this.#cluster.metadata(this.#topic);
    } catch (error) {
      if (!(error instanceof PenstockError)) throw error;
      problem = error;
    }
    this.#isLooking = false;
    if (this.#isStopped) return;
    this.#tell(problem);
    this.#timer = setTimeout(() => void this.#look(), problem ? ILL_INTERVAL_MS : WELL_INTERVAL_MS);
  }
}
