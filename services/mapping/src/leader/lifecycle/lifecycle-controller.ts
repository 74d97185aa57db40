import {
  decideLifecycle,
  hasConfirmed,
  isTransition,
  type LifecycleDecision,
} from "@penstock/core";
import type { Sql } from "@penstock/postgres";
import type { LeaderContext } from "../leader-context.ts";
import type { MappingFacts, MappingView } from "../mapping-view.ts";
import type { NodeView } from "../placement/node-view.ts";
import type { ProblemController } from "../problems/problem-controller.ts";
import type { GroupRemoval } from "./group-removal.ts";
import type { GroupQuestion, GroupWatch } from "./group-watch.ts";
import { readHolders, type StoredHolder } from "./read-holders.ts";
import { resetEpochs, writeDeletion, writeRelease, writeState } from "./write-lifecycle.ts";

interface Decided {
  readonly mapping: MappingFacts;
  readonly decision: Exclude<LifecycleDecision, { do: "wait" }>;
  /** What became of the consumer group that was to be deleted. */
  readonly consumerGroup: string | null;
}

/** Mappings that are moved on in one transaction. */
const DECISIONS_MAX = 200;

/**
 * Moves mappings on (`decideLifecycle`), and clears away what nodes have confirmed or can't hold any more. Runs after the placement of
 * the same look, so that a mapping that is to stop has no assignments.
 */
export class LifecycleController {
  readonly #context: LeaderContext;
  readonly #mappings: MappingView;
  readonly #nodes: NodeView;
  readonly #groups: GroupWatch;
  readonly #removals: GroupRemoval;
  readonly #problems: ProblemController;

  constructor(parts: {
    context: LeaderContext;
    mappings: MappingView;
    nodes: NodeView;
    groups: GroupWatch;
    removals: GroupRemoval;
    problems: ProblemController;
  }) {
    this.#context = parts.context;
    this.#mappings = parts.mappings;
    this.#nodes = parts.nodes;
    this.#groups = parts.groups;
    this.#removals = parts.removals;
    this.#problems = parts.problems;
  }

  /** Problems are judged by the same holders. */
  async run(): Promise<void> {
    const { db } = this.#context;
    const moving = [...this.#mappings.all()].filter((one) => isTransition(one.state));
    const watched = this.#problems.watchedIds();
    const gone = this.#nodes.all.filter((node) => node.condition === "gone");
    const holders = await readHolders(
      db.sql,
      {
        mappingIds: [...moving.map((mapping) => mapping.id), ...watched],
        nodeIds: gone.map((node) => node.nodeId),
      },
      this.#nodes.all,
    );
    this.#groups.watch(this.#questions(holders));
    await this.#clearConfirmed(holders);
    await this.#release(holders);
    await this.#move(moving, holders);
    await this.#problems.run(holders);
    await this.#removeNodes(holders);
  }

  async #move(
    moving: readonly MappingFacts[],
    holders: ReadonlyMap<string, readonly StoredHolder[]>,
  ): Promise<void> {
    this.#removals.keep((id) => this.#mappings.get(id)?.state === "Deleting");
    const decided: Decided[] = [];
    for (const mapping of moving) {
      const decision = decideLifecycle(
        {
          state: mapping.state,
          revision: mapping.revision,
          isEnabled: mapping.isEnabled,
          arePinned: mapping.arePinned,
          stateForMs: this.#mappings.databaseNowMs() - mapping.stateSinceMs,
          holders: holders.get(mapping.id) ?? [],
          group: this.#groups.verdict(mapping.id),
          problem: this.#problems.known(mapping),
        },
        this.#context.settings,
      );
      if (decision.do === "wait") continue;
      const isLast = decision.do === "delete" && mapping.deletesConsumerGroup;
      const consumerGroup = isLast ? this.#removals.outcome(mapping) : null;
      if (!isLast || consumerGroup !== null) decided.push({ mapping, decision, consumerGroup });
    }
    for (let at = 0; at < decided.length; at += DECISIONS_MAX) {
      const some = decided.slice(at, at + DECISIONS_MAX);
      await this.#context.term.write(async (sql) => {
        for (const one of some) await carryOut(sql, one);
      });
      for (const { mapping } of some) this.#mappings.announce(mapping.id);
    }
  }

  async #clearConfirmed(holders: ReadonlyMap<string, readonly StoredHolder[]>): Promise<void> {
    const confirmed = [...holders.values()].flat().filter(isObeyed);
    if (confirmed.length === 0) return;
    await this.#context.term.write(
      (sql) => sql`
        delete from assignment_removals d
         using unnest(${confirmed.map((one) => one.mappingId)}::uuid[],
                      ${confirmed.map((one) => one.nodeId)}::uuid[],
                      ${confirmed.map((one) => one.appliedGeneration)}::bigint[])
            as r (mapping_id, node_id, applied_generation)
         where d.mapping_id = r.mapping_id and d.node_id = r.node_id
           and d.generation <= r.applied_generation`,
    );
  }

  /** Mappings whose vanished holders have been absent from the group for the drain limit. */
  async #release(holders: ReadonlyMap<string, readonly StoredHolder[]>): Promise<void> {
    const { term, settings, log } = this.#context;
    for (const [mappingId, all] of holders) {
      const left = all.filter((one) => one.isGone && !one.isAssigned);
      const { clearForMs } = this.#groups.verdict(mappingId);
      if (left.length === 0 || clearForMs === null || clearForMs < settings.drainLimitMs) continue;
      const nodeIds = left.map((one) => one.nodeId);
      await term.write(async (sql) => {
        await writeRelease(sql, mappingId, nodeIds);
        if (left.length === all.length) await resetEpochs(sql, mappingId);
      });
      log.info("vanished nodes released", { mappingId, nodeIds });
    }
  }

  #questions(holders: ReadonlyMap<string, readonly StoredHolder[]>): GroupQuestion[] {
    const presentNodeIds = this.#nodes.all
      .filter((node) => node.condition !== "gone")
      .map((node) => node.nodeId);
    const questions: GroupQuestion[] = [];
    for (const [mappingId, all] of holders) {
      const mapping = this.#mappings.get(mappingId);
      const gone = all.filter((one) => one.isGone && !hasConfirmed(one));
      if (mapping === undefined || gone.length === 0) continue;
      const known = all.filter((one) => !one.isGone);
      questions.push({
        mapping,
        goneMemberIds: new Set(gone.flatMap((one) => one.memberIds.filter(isKnown))),
        goneNodeIds: gone.map((one) => one.nodeId),
        knownMemberIds: new Set(known.flatMap((one) => one.memberIds.filter(isKnown))),
        presentNodeIds,
      });
    }
    return questions;
  }

  /** A vanished node that nothing refers to is forgotten; when it comes back it joins as new. */
  async #removeNodes(holders: ReadonlyMap<string, readonly StoredHolder[]>): Promise<void> {
    const held = new Set([...holders.values()].flat().map((one) => one.nodeId));
    const idle = this.#nodes.all.filter(
      (node) => node.condition === "gone" && !held.has(node.nodeId),
    );
    if (idle.length === 0) return;
    const { term, settings, log } = this.#context;
    const ids = idle.map((node) => node.nodeId);
    await term.write(
      (sql) => sql`
        delete from nodes n
         where n.id = any(${ids}::uuid[])
           and n.seen_at < clock_timestamp() - ${settings.nodeVanishedMs}::int * interval '1 millisecond'
           and not exists (select 1 from assignments where node_id = n.id)
           and not exists (select 1 from holdings where node_id = n.id)
           and not exists (select 1 from assignment_removals where node_id = n.id)`,
    );
    log.warn("nodes vanished", { nodeIds: ids });
  }
}

/** A member of a classic group has no id before the coordinator has given it one. */
function isKnown(memberId: string): boolean {
  return memberId !== "";
}

/** It has given up what it was told to give up; it may have been given something of the mapping since. */
function isObeyed(holder: StoredHolder): boolean {
  if (holder.removal === null || holder.appliedGeneration < holder.removal) return false;
  return holder.isAssigned || holder.held.length === 0;
}

async function carryOut(sql: Sql, { mapping, decision, consumerGroup }: Decided): Promise<void> {
  if (decision.do === "delete") {
    await writeDeletion(sql, mapping, decision.unconfirmed, consumerGroup);
  } else await writeState(sql, mapping, decision.state, decision.problem);
}
