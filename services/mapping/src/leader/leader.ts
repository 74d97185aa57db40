import { RepeatingTask } from "../fleet/repeating-task.ts";
import type { LeaderContext } from "./leader-context.ts";
import { GroupRemoval } from "./lifecycle/group-removal.ts";
import { GroupWatch } from "./lifecycle/group-watch.ts";
import { LifecycleController } from "./lifecycle/lifecycle-controller.ts";
import { MappingView } from "./mapping-view.ts";
import { PinningController } from "./pinning/pinning-controller.ts";
import { TopicWatch } from "./pinning/topic-watch.ts";
import { NodeView } from "./placement/node-view.ts";
import { PlacementController } from "./placement/placement-controller.ts";
import { ProblemController } from "./problems/problem-controller.ts";
import { ShareController } from "./shares/share-controller.ts";

/**
 * The controllers of one term, and the loop that runs them: soon after something was announced, and every second.
 *
 *     nodes, mappings ─▶ pinning (beside) ─▶ placement ─▶ lifecycle, problems ─▶ tables
 *
 * Everything is read from the tables anew in each term; nothing is kept from an earlier one.
 */
export class Leader {
  readonly #context: LeaderContext;
  readonly #mappings: MappingView;
  readonly #nodes: NodeView;
  readonly #pinning: PinningController;
  readonly #placement: PlacementController;
  readonly #lifecycle: LifecycleController;
  readonly #loop: RepeatingTask;
  readonly #topics: RepeatingTask;
  readonly #shares: RepeatingTask;

  constructor(context: LeaderContext) {
    const { db, settings, nowMs, log, clusters } = context;
    this.#context = context;
    const wake = () => this.wake();
    const mappings = new MappingView(db, settings.reloadIntervalMs, nowMs);
    const nodes = new NodeView(db, settings.nodeVanishedMs, nowMs);
    const groups = new GroupWatch({
      clusters,
      intervalMs: settings.groupIntervalMs,
      nowMs,
      onAnswer: wake,
    });
    const removals = new GroupRemoval({
      clusters,
      intervalMs: settings.groupIntervalMs,
      limitMs: settings.drainLimitMs,
      nowMs,
      onEnd: wake,
    });
    const topics = new TopicWatch(context, mappings, wake);
    this.#mappings = mappings;
    this.#nodes = nodes;
    this.#pinning = new PinningController(context, mappings, wake);
    this.#placement = new PlacementController(context, mappings, nodes);
    const problems = new ProblemController(context, mappings, nodes, this.#pinning);
    this.#lifecycle = new LifecycleController({
      ...{ context, mappings, nodes, groups, removals, problems },
    });
    this.#loop = new RepeatingTask({
      name: "leading",
      intervalMs: settings.leaderIntervalMs,
      settleMs: 10,
      log,
      work: () => this.#look(),
      onFailure: () => {
        nodes.noteOutage();
        mappings.reloadSoon();
      },
    });
    this.#topics = new RepeatingTask({
      name: "looking at topics",
      intervalMs: settings.topicIntervalMs,
      log,
      work: () => topics.run(),
    });
    const shares = new ShareController(context);
    this.#shares = new RepeatingTask({
      name: "dividing concurrency",
      intervalMs: settings.shareIntervalMs,
      log,
      work: () => shares.run(),
    });
  }

  start(): void {
    this.#loop.start();
    this.#topics.start();
    this.#shares.start();
  }

  /** The term is over: nothing is started any more, and nothing that still runs can be committed. */
  async stop(): Promise<void> {
    await Promise.all([this.#loop.stop(), this.#topics.stop(), this.#shares.stop()]);
  }

  wake(): void {
    this.#loop.wake();
  }

  mappingChanged(id: string): void {
    this.#mappings.announce(id);
    this.wake();
  }

  async #look(): Promise<void> {
    const { term, nowMs, observeLook } = this.#context;
    if (!term.isValid) return;
    const startMs = nowMs();
    await this.#nodes.refresh();
    await this.#mappings.refresh();
    this.#pinning.run();
    await this.#placement.run();
    await this.#lifecycle.run();
    observeLook?.(nowMs() - startMs);
  }
}
