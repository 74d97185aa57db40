import {
  afterChange,
  type Flapping,
  type Holder,
  isRunning,
  type MappingProblem,
  mayChange,
  NO_NODE,
  presentProblem,
  STEADY,
  stateReasonOf,
  whyNotRunning,
} from "@penstock/core";
import type { LeaderContext } from "../leader-context.ts";
import type { MappingFacts, MappingView } from "../mapping-view.ts";
import type { PinningController } from "../pinning/pinning-controller.ts";
import type { NodeView } from "../placement/node-view.ts";
import { isWanted } from "../placement/plan-placement.ts";
import { isSameProblem, type ShownProblem, writeProblems } from "./write-problems.ts";

/** Problems that are written in one statement. */
const ROWS_MAX = 1_000;

/**
 * Keeps what is shown of each mapping's problem as it is: collects what pinning, filter, registry, placement and event pollers know of it, chooses
 * one (`presentProblem`), and writes it when it is another one. What comes and goes is written less and less often.
 */
export class ProblemController {
  readonly #context: LeaderContext;
  readonly #mappings: MappingView;
  readonly #nodes: NodeView;
  readonly #pinning: PinningController;
  readonly #flapping = new Map<string, Flapping>();
  /** Of sealed filters, for as long as the mapping is known as it is. */
  readonly #filterProblems = new WeakMap<MappingFacts, MappingProblem | null>();
  #hadPollerAtMs: number;

  constructor(
    context: LeaderContext,
    mappings: MappingView,
    nodes: NodeView,
    pinning: PinningController,
  ) {
    this.#context = context;
    this.#mappings = mappings;
    this.#nodes = nodes;
    this.#pinning = pinning;
    this.#hadPollerAtMs = context.nowMs();
  }

  /** What is known to keep a mapping from running, whoever runs it. */
  known(mapping: MappingFacts, placement: MappingProblem | null = null): MappingProblem | null {
    return presentProblem({
      state: mapping.state,
      arePinned: mapping.arePinned,
      pinning: mapping.arePinned ? null : this.#pinning.problemOf(mapping),
      filter: this.#filterProblem(mapping),
      reported: mapping.reported,
      functionName: mapping.functionName,
      hasFunction: mapping.hasFunction,
      placement,
    });
  }

  /** Mappings whose holders have to be known: nobody ran them when that was last looked at. */
  watchedIds(): string[] {
    const ids: string[] = [];
    for (const { id, problem } of this.#mappings.all()) {
      if (problem?.code === NO_NODE.code) ids.push(id);
    }
    return ids;
  }

  async run(holders: ReadonlyMap<string, readonly Holder[]>): Promise<void> {
    const { term, nowMs } = this.#context;
    this.#lookForPollers();
    const shown: ShownProblem[] = [];
    for (const mapping of this.#mappings.all()) {
      if (mapping.state === "Deleting") continue;
      const problem = this.known(mapping, this.#placementProblem(mapping, holders));
      if (!isSameProblem(problem, mapping.problem)) {
        if (this.#mayShow(mapping.id, problem)) shown.push({ mapping, problem });
      } else if (mapping.stateReason !== stateReasonOf(problem)) shown.push({ mapping, problem });
    }
    for (let at = 0; at < shown.length; at += ROWS_MAX) {
      const some = shown.slice(at, at + ROWS_MAX);
      await term.write((sql) => writeProblems(sql, some));
      for (const { mapping, problem } of some) {
        this.#mappings.announce(mapping.id);
        const flapping = this.#flapping.get(mapping.id) ?? STEADY;
        this.#flapping.set(mapping.id, afterChange(flapping, nowMs(), problem?.code ?? null));
      }
    }
    for (const id of this.#flapping.keys()) {
      if (this.#mappings.get(id) === undefined) this.#flapping.delete(id);
    }
  }

  #mayShow(mappingId: string, problem: MappingProblem | null): boolean {
    const flapping = this.#flapping.get(mappingId) ?? STEADY;
    return mayChange(flapping, this.#context.nowMs(), problem === null);
  }

  #lookForPollers(): void {
    const isUp = this.#nodes.all.some(
      ({ kind, condition }) => kind === "poller" && condition !== "gone",
    );
    if (isUp) this.#hadPollerAtMs = this.#context.nowMs();
  }

  /** A start that is under way is judged by the lifecycle; one that ended without success is looked at until somebody runs it. */
  #placementProblem(
    mapping: MappingFacts,
    holders: ReadonlyMap<string, readonly Holder[]>,
  ): MappingProblem | null {
    if (mapping.state !== "Enabled" || !isWanted(mapping)) return null;
    const { nowMs, settings } = this.#context;
    if (nowMs() - this.#hadPollerAtMs >= settings.nodeVanishedMs) return NO_NODE;
    if (mapping.problem?.code !== NO_NODE.code) return null;
    const own = { holders: holders.get(mapping.id) ?? [], revision: mapping.revision };
    return isRunning(own) ? null : whyNotRunning(own);
  }

  #filterProblem(mapping: MappingFacts): MappingProblem | null {
    const { id, sealedFilter } = mapping;
    if (sealedFilter === null) return null;
    const known = this.#filterProblems.get(mapping);
    if (known !== undefined) return known;
    const { filters } = this.#context;
    const { error } = filters.open(id, sealedFilter.kmsKeyArn, sealedFilter.sealed);
    const problem = error === null ? null : { code: "filterUndecryptable", message: error.message };
    this.#filterProblems.set(mapping, problem);
    return problem;
  }
}
