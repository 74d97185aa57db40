import { PenstockError } from "@penstock/core";
import type { Logger } from "@penstock/runtime";
import type { EventPollerContext } from "../event-poller/context.ts";
import { EventPoller } from "../event-poller/event-poller.ts";
import {
  assertKnownAccess,
  type EventPollerSettings,
  needsNewMember,
} from "../event-poller/settings.ts";

/**
 * The event pollers of one node, made to follow numbered generations of assignments.
 *
 * Always true: a generation is *applied* when everything that it, or one before it, took away has left its group and made its last
 * call; an older generation than the newest received is ignored; without news the last generation stays in effect.
 */
export class PollerNode {
  readonly #context: EventPollerContext;
  readonly #log: Logger;
  readonly #onChange: () => void;
  readonly #running = new Map<string, EventPoller>();
  readonly #closing = new Set<EventPoller>();
  #received = 0n;
  #applied = 0n;
  #isDraining = false;

  /** `onChange`: what is held, or the applied generation, changed. */
  constructor(context: EventPollerContext, onChange: () => void) {
    this.#context = context;
    this.#log = context.log;
    this.#onChange = onChange;
  }

  /** The newest generation that is wholly in effect. */
  get appliedGeneration(): bigint {
    return this.#applied;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Running and leaving event pollers. */
  *pollers(): IterableIterator<EventPoller> {
    yield* this.#running.values();
    yield* this.#closing;
  }

  /** Makes the node run exactly `wanted`. */
  assign(generation: bigint, wanted: readonly EventPollerSettings[]): void {
    if (generation < this.#received) return;
    this.#received = generation;
    const keys = new Set(wanted.map(keyOf));
    const leaving: Promise<void>[] = [];
    for (const [key, poller] of this.#running) {
      if (!keys.has(key)) leaving.push(this.#end(key, poller));
    }
    if (!this.#isDraining) for (const settings of wanted) this.#tryToRun(settings, leaving);
    for (const poller of this.#closing) leaving.push(poller.close());
    void Promise.all(leaving).then(() => {
      if (generation > this.#applied) this.#applied = generation;
      this.#onChange();
    });
    this.#onChange();
  }

  functionChanged(name: string): void {
    for (const poller of this.pollers()) poller.functionChanged(name);
  }

  expectChange(groupIds: ReadonlySet<string>, durationMs: number): void {
    for (const poller of this.#running.values()) {
      if (groupIds.has(poller.settings().consumerGroupId)) poller.expectChange(durationMs);
    }
  }

  memoryRelieved(): void {
    for (const poller of this.#running.values()) poller.memoryRelieved();
  }

  /**
   * Leaves every group in order and takes no more assignments; places of static members are kept for the node's return. Who really leaves is what was
   * taken away (`assign`). Idempotent.
   */
  async drain(): Promise<void> {
    this.#isDraining = true;
    const leaving = [...this.#running].map(([key, poller]) => this.#end(key, poller, true));
    for (const poller of this.#closing) leaving.push(poller.close());
    this.#onChange();
    await Promise.all(leaving);
  }

  /** What this version can't run (a filter of a newer one) is the problem of its mapping alone. */
  #tryToRun(settings: EventPollerSettings, leaving: Promise<void>[]): void {
    try {
      this.#run(settings, leaving);
    } catch (error) {
      if (!(error instanceof PenstockError)) throw error;
      const { mappingId, index } = settings;
      this.#log.error("event poller can't run", { mappingId, index, error });
      this.#context.reports.problem(mappingId, index, error);
    }
  }

  #run(settings: EventPollerSettings, leaving: Promise<void>[]): void {
    assertKnownAccess(settings);
    const key = keyOf(settings);
    const present = this.#running.get(key);
    if (present !== undefined) {
      if (present.settings().revision === settings.revision) return;
      if (!needsNewMember(present.settings(), settings)) {
        present.apply(settings);
        return;
      }
      leaving.push(this.#end(key, present));
    }
    this.#log.info("event poller starts", {
      mappingId: settings.mappingId,
      index: settings.index,
      group: settings.consumerGroupId,
      topic: settings.topic,
    });
    // Two under one name would end each other: until the one before has left, its successor is a member without a name.
    const isPlaceFree = ![...this.#closing].some((each) => keyOf(each.settings()) === key);
    this.#running.set(key, new EventPoller(this.#context, settings, isPlaceFree));
  }

  #end(key: string, poller: EventPoller, isRestart = false): Promise<void> {
    this.#running.delete(key);
    this.#closing.add(poller);
    return poller.close(isRestart).then(() => {
      this.#closing.delete(poller);
      const { mappingId, index } = poller.settings();
      this.#log.info("event poller left", { mappingId, index });
      const successor = this.#running.get(key);
      this.#context.reports.problem(mappingId, index, successor?.presentProblem ?? null);
      this.#onChange();
    });
  }
}

function keyOf(settings: EventPollerSettings): string {
  return `${settings.mappingId}/${settings.index}`;
}
