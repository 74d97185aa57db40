/**
 * The partitions of one topic that a member holds, and those that its generation assigned to it.
 *
 * A partition that is assigned and not held can be adopted once the id of the topic is known; one that is held and not assigned is being given back. What is
 * held of a topic that was deleted and made again is another topic's.
 */
import type { Assignment } from "@penstock/core";
import type { NamedPartitions } from "./consumer-protocol.ts";

interface Held {
  readonly assignment: Assignment;
  /** Set while it is being given back. */
  deadlineMs: number | null;
}

export class HeldPartitions {
  readonly #topic: string;
  readonly #held = new Map<number, Held>();
  #topicId: string | null = null;
  #target = new Set<number>();
  #generation = -1;

  constructor(topic: string) {
    this.#topic = topic;
  }

  get count(): number {
    return this.#held.size;
  }

  get needsTopic(): boolean {
    return this.#topicId === null && this.#target.size > 0;
  }

  get isAnyDraining(): boolean {
    for (const { deadlineMs } of this.#held.values()) if (deadlineMs !== null) return true;
    return false;
  }

  get firstDeadlineMs(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const { deadlineMs } of this.#held.values())
      if (deadlineMs !== null && deadlineMs < first) first = deadlineMs;
    return first;
  }

  has(assignment: Assignment): boolean {
    return this.#find(assignment) !== null;
  }

  isDraining(assignment: Assignment): boolean {
    return (this.#find(assignment)?.deadlineMs ?? null) !== null;
  }

  /** What a join says that we own. */
  claims(): NamedPartitions[] {
    const partitions = [...this.#held.keys()].sort((a, b) => a - b);
    return partitions.length > 0 ? [{ topic: this.#topic, partitions }] : [];
  }

  /** What a generation assigned to us. */
  assign(partitions: readonly number[], generation: number): void {
    this.#target = new Set(partitions);
    this.#generation = generation;
  }

  forgetTarget(partition: number): void {
    this.#target.delete(partition);
  }

  /** Held without being assigned. */
  unassigned(): Assignment[] {
    return [...this.#held.values()]
      .map(({ assignment }) => assignment)
      .filter(({ partition }) => !this.#target.has(partition));
  }

  /** Null: there is no such topic. Returns what was held of another one, dropped. */
  learnTopic(topicId: string | null): Assignment[] {
    if (topicId === this.#topicId) return [];
    this.#topicId = topicId;
    return this.dropAll();
  }

  /** Everything that is assigned and not held. */
  adopt(): Assignment[] {
    const topicId = this.#topicId;
    if (topicId === null) return [];
    const adopted: Assignment[] = [];
    for (const partition of this.#target) {
      if (this.#held.has(partition)) continue;
      const epoch = this.#generation;
      const assignment = Object.freeze({ topic: this.#topic, topicId, partition, epoch });
      this.#held.set(partition, { assignment, deadlineMs: null });
      adopted.push(assignment);
    }
    return adopted;
  }

  /** False: it drains already, or isn't held. */
  drain(assignment: Assignment, deadlineMs: number): boolean {
    const held = this.#find(assignment);
    if (!held || held.deadlineMs !== null) return false;
    held.deadlineMs = deadlineMs;
    return true;
  }

  drop(assignment: Assignment): boolean {
    return this.#find(assignment) !== null && this.#held.delete(assignment.partition);
  }

  dropOverdue(nowMs: number): Assignment[] {
    const overdue = [...this.#held.values()].filter(
      ({ deadlineMs }) => deadlineMs !== null && deadlineMs <= nowMs,
    );
    for (const { assignment } of overdue) this.drop(assignment);
    return overdue.map(({ assignment }) => assignment);
  }

  dropAll(): Assignment[] {
    const all = [...this.#held.values()].map(({ assignment }) => assignment);
    this.#held.clear();
    return all;
  }

  #find(assignment: Assignment): Held | null {
    const held = this.#held.get(assignment.partition);
    return held?.assignment === assignment ? held : null;
  }
}
