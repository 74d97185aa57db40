import { InvariantError, PenstockError } from "@penstock/core";
import type { ClusterAdmins } from "../clusters/cluster-admins.ts";
import type { MappingFacts } from "../mapping-view.ts";

interface Removal {
  readonly sinceMs: number;
  isAsking: boolean;
  askAgainAtMs: number;
  outcome: string | null;
}

/**
 * Deletes the consumer groups of mappings that were to be deleted with them, when nothing of the mapping is left but its row. Runs beside the
 * leader's loop. Kafka refuses a group that somebody else is a member of. Tried for a limited time: a mapping does not stay for the sake of its group.
 */
export class GroupRemoval {
  readonly #options: {
    readonly clusters: ClusterAdmins;
    readonly intervalMs: number;
    readonly limitMs: number;
    readonly nowMs: () => number;
    readonly onEnd: () => void;
  };
  readonly #removals = new Map<string, Removal>();

  constructor(options: {
    clusters: ClusterAdmins;
    intervalMs: number;
    limitMs: number;
    nowMs: () => number;
    onEnd: () => void;
  }) {
    this.#options = options;
  }

  /** Forgets the others. */
  keep(isWanted: (mappingId: string) => boolean): void {
    for (const id of this.#removals.keys()) if (!isWanted(id)) this.#removals.delete(id);
  }

  /** What became of the group, for the mapping's history; null while it is being tried. Returns at once. */
  outcome(mapping: MappingFacts): string | null {
    const removal = this.#removalOf(mapping.id);
    const { nowMs } = this.#options;
    if (removal.outcome === null && !removal.isAsking && nowMs() >= removal.askAgainAtMs) {
      removal.isAsking = true;
      void this.#ask(mapping, removal).then(this.#options.onEnd);
    }
    return removal.outcome;
  }

  async #ask(mapping: MappingFacts, removal: Removal): Promise<void> {
    const { clusters, nowMs, intervalMs, limitMs } = this.#options;
    const group = mapping.consumerGroupId;
    try {
      const wasThere = await clusters.ask(mapping, (admin) => admin.deleteGroup(group));
      removal.outcome = wasThere
        ? `The consumer group ${group} is deleted with its offsets.`
        : `There was no consumer group ${group} to delete.`;
    } catch (error) {
      if (error instanceof InvariantError) throw error;
      const isFinal = !(error instanceof PenstockError) || error.row.retry !== "retry";
      const failure = error instanceof PenstockError ? error.message : "internal error";
      if (isFinal || nowMs() - removal.sinceMs >= limitMs) {
        removal.outcome = `The consumer group ${group} was not deleted: ${failure}`;
      }
    }
    removal.isAsking = false;
    removal.askAgainAtMs = nowMs() + intervalMs;
  }

  #removalOf(mappingId: string): Removal {
    let removal = this.#removals.get(mappingId);
    if (removal === undefined) {
      removal = {
        sinceMs: this.#options.nowMs(),
        isAsking: false,
        askAgainAtMs: Number.NEGATIVE_INFINITY,
        outcome: null,
      };
      this.#removals.set(mappingId, removal);
    }
    return removal;
  }
}
