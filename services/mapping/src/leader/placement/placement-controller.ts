import type { LeaderContext } from "../leader-context.ts";
import type { MappingFacts, MappingView } from "../mapping-view.ts";
import type { NodeView } from "./node-view.ts";
import { isWanted, planPlacement } from "./plan-placement.ts";
import { readStoredAssignments, writePlacement } from "./write-placement.ts";

/**
 * Keeps the table of assignments as `planPlacement` wants it. Plans only when something that counts for it has changed since the last
 * plan, and now and then anyway.
 */
export class PlacementController {
  readonly #context: LeaderContext;
  readonly #mappings: MappingView;
  readonly #nodes: NodeView;
  #print = "";
  #planAgainAtMs = 0;

  constructor(context: LeaderContext, mappings: MappingView, nodes: NodeView) {
    this.#context = context;
    this.#mappings = mappings;
    this.#nodes = nodes;
  }

  async run(): Promise<void> {
    const { db, term, settings, nowMs, log } = this.#context;
    const print = this.#fingerprint();
    if (print === this.#print && nowMs() < this.#planAgainAtMs) return;
    const current = await readStoredAssignments(db.sql);
    const plan = planPlacement(this.#mappings.all(), this.#nodes.all, current);
    if (plan !== null) {
      const generation = await term.write((sql) =>
        writePlacement(sql, plan, settings.plannedChangeMs),
      );
      log.info("event pollers placed", {
        generation: String(generation),
        added: plan.added.length,
        removed: plan.removed.length,
        revised: plan.revised.length,
      });
    }
    this.#print = print;
    this.#planAgainAtMs = nowMs() + settings.reloadIntervalMs;
  }

  #fingerprint(): string {
    const parts: string[] = [];
    for (const { nodeId, kind, condition } of this.#nodes.all) {
      if (kind === "poller") parts.push(nodeId, condition);
    }
    for (const mapping of this.#mappings.all()) parts.push(mappingPrint(mapping));
    return parts.join();
  }
}

function mappingPrint(mapping: MappingFacts): string {
  if (!isWanted(mapping)) return `-${mapping.id}`;
  const { id, revision, minimumPollers, partitionCount } = mapping;
  return `${id} ${revision} ${minimumPollers} ${partitionCount}`;
}
