/** The clusters that this process talks to: one for each set of bootstrap servers, shared and counted. */
import { KafkaCluster, type KafkaClusterOptions } from "./kafka-cluster.ts";

export interface ClusterLease {
  readonly cluster: KafkaCluster;
  /** The last one to release closes the connections. Idempotent. */
  release(): void;
}

export class Clusters {
  readonly #options: Omit<KafkaClusterOptions, "bootstrapServers">;
  readonly #open = new Map<string, { cluster: KafkaCluster; holders: number }>();

  constructor(options: Omit<KafkaClusterOptions, "bootstrapServers">) {
    this.#options = options;
  }

  get size(): number {
    return this.#open.size;
  }

  acquire(bootstrapServers: readonly string[]): ClusterLease {
    const key = [...new Set(bootstrapServers)].sort().join(",");
    let entry = this.#open.get(key);
    if (!entry) {
      entry = { cluster: new KafkaCluster({ ...this.#options, bootstrapServers }), holders: 0 };
      this.#open.set(key, entry);
    }
    const held = entry;
    held.holders++;
    let isHeld = true;
    return {
      cluster: held.cluster,
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        if (--held.holders > 0) return;
        held.cluster.close();
        if (this.#open.get(key) === held) this.#open.delete(key);
      },
    };
  }

  close(): void {
    for (const { cluster } of this.#open.values()) cluster.close();
    this.#open.clear();
  }
}
