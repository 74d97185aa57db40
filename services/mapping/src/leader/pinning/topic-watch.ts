import { InvariantError } from "@penstock/core";
import { MAPPINGS_CHANNEL } from "../../fleet/fleet-notice.ts";
import type { LeaderContext } from "../leader-context.ts";
import type { MappingFacts, MappingView } from "../mapping-view.ts";
import { isWanted } from "../placement/plan-placement.ts";

/**
 * Looks from time to time whether the topics of running mappings have new partitions (or were recreated under another id). A new
 * partition has no pin, so it starts at its beginning. What can't be asked is asked next time: event pollers report such problems themselves.
 */
export class TopicWatch {
  readonly #context: LeaderContext;
  readonly #mappings: MappingView;
  readonly #onChange: () => void;

  constructor(context: LeaderContext, mappings: MappingView, onChange: () => void) {
    this.#context = context;
    this.#mappings = mappings;
    this.#onChange = onChange;
  }

  async run(): Promise<void> {
    const running = [...this.#mappings.all()].filter(isWanted);
    const byTopic = Map.groupBy(running, (one) =>
      JSON.stringify([[...one.bootstrapServers].sort(), one.sourceAccess, one.topic]),
    );
    await Promise.all([...byTopic.values()].map((mappings) => this.#look(mappings)));
    this.#context.clusters.closeIdle();
  }

  /** One question for all mappings of the topic. */
  async #look(mappings: readonly MappingFacts[]): Promise<void> {
    const [first] = mappings;
    if (first === undefined || !this.#context.term.isValid) return;
    const { clusters, term } = this.#context;
    try {
      const { topicId, partitions } = await clusters.ask(first, (admin) =>
        admin.describeTopic(first.topic),
      );
      const changed = mappings.filter(
        (one) => one.topicId !== topicId || one.partitionCount !== partitions.length,
      );
      if (changed.length === 0 || partitions.length === 0) return;
      await term.write(
        (sql) => sql`
          with stored as (
            update mappings set topic_id = ${topicId}, partition_count = ${partitions.length}
             where id = any(${changed.map((one) => one.id)}::uuid[]) and are_starts_pinned
            returning id)
          select pg_notify(${MAPPINGS_CHANNEL}, id::text) from stored`,
      );
      for (const { id } of changed) this.#mappings.announce(id);
      this.#onChange();
    } catch (error) {
      if (error instanceof InvariantError) throw error;
      // Asked again at the next look.
    }
  }
}
