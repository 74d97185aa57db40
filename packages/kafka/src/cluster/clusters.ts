/**
 * The clusters that this process talks to: one for each set of bootstrap servers and identity of the source's security, shared and counted. A mapping never
 * rides on the connections of another one's credentials.
 */
import type { SourceSecurity } from "@penstock/core";
import { KafkaCluster, type KafkaClusterOptions } from "./kafka-cluster.ts";

export interface ClusterLease {
  readonly cluster: KafkaCluster;
  /** The last one to release closes the connections. Idempotent. */
  release(): void;
}

type SharedOptions = Omit<KafkaClusterOptions, "bootstrapServers" | "security">;

export class Clusters {
  readonly #options: SharedOptions;
  readonly #open = new Map<string, { cluster: KafkaCluster; holders: number }>();

  constructor(options: SharedOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#open.size;
  }

  acquire(bootstrapServers: readonly string[], security?: SourceSecurity): ClusterLease {
    const key = clusterKey(bootstrapServers, security);
    let entry = this.#open.get(key);
    if (!entry) {
      entry = {
        cluster: new KafkaCluster({ ...this.#options, bootstrapServers, security }),
        holders: 0,
      };
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

/** Equal for those who may share connections. */
export function clusterKey(bootstrapServers: readonly string[], security?: SourceSecurity): string {
  const servers = [...new Set(bootstrapServers)].sort();
  return JSON.stringify([servers, security?.identity ?? null]);
}
