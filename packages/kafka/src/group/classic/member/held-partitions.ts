/**
 * The partitions of one topic that a member holds, and those that its generation assigned to it.
 *
 * A partition that is assigned and not held can be adopted once the topic is known; one that is held and not assigned is being given back. What is
 * held of a topic that was deleted and made again is another topic's. An id that isn't known says nothing (brokers before 2.8 have none), so it is no
 * other topic.
 */
import type { Assignment, LostReason } from "@penstock/core";
import { mayBeSameTopic } from "../../../cluster/cluster.ts";
import type { NamedPartitions } from "../consumer-protocol.ts";
import type { ClassicStep } from "./classic-step.ts";

interface Held {
  readonly assignment: Assignment;
  /** Set while it is being given back. */
  deadlineMs: number | null;
}

export class HeldPartitions {
  readonly #topic: string;
  readonly #held = new Map<number, Held>();
  /** Also of a topic that is gone, while something of it is held. */
  #topicId: string | null = null;
  #isTopicThere = false;
  #target = new Set<number>();
  #generation = -1;

  constructor(topic: string) {
    this.#topic = topic;
  }

  get count(): number {
    return this.#held.size;
  }

  /** Assigned are partitions that can't be adopted before the topic is known. */
  get needsTopic(): boolean {
    return !this.#isTopicThere && this.#target.size > 0;
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

  /**
   * What a generation assigned to us. What is held without being assigned is drained until `deadlineMs`, or where it may be another's already (null),
   * lost.
   */
  assign(
    lists: readonly NamedPartitions[],
    generation: number,
    deadlineMs: number | null,
  ): ClassicStep[] {
    const ours = lists.filter(({ topic }) => topic === this.#topic);
    this.#target = new Set(ours.flatMap(({ partitions }) => partitions));
    this.#generation = generation;
    const goes = this.#assignments().filter(({ partition }) => !this.#target.has(partition));
    if (deadlineMs !== null) return goes.flatMap((one) => this.#drain(one, deadlineMs));
    return goes.map((one) => this.#lose(one, "fenced"));
  }

  /** Everything is given back. */
  drainAll(deadlineMs: number): ClassicStep[] {
    return this.assign([], this.#generation, deadlineMs);
  }

  forgetTarget(partition: number): void {
    this.#target.delete(partition);
  }

  /** What is held of another one is lost. */
  learnTopic(topicId: string): ClassicStep[] {
    const before = this.#topicId;
    const isOther = before !== null && !mayBeSameTopic(before, topicId);
    this.#topicId = topicId;
    this.#isTopicThere = true;
    return isOther ? this.loseAll("fenced") : [];
  }

  /** There is no such topic. If that is an error, it isn't one that costs duplicates: what is held of it is drained. */
  topicGone(deadlineMs: number): ClassicStep[] {
    this.#isTopicThere = false;
    return this.#assignments().flatMap((one) => this.#drain(one, deadlineMs));
  }

  /** Everything that is assigned and not held. */
  adopt(): ClassicStep[] {
    const topicId = this.#topicId;
    if (topicId === null || !this.#isTopicThere) return [];
    const steps: ClassicStep[] = [];
    for (const partition of this.#target) {
      if (this.#held.has(partition)) continue;
      const epoch = this.#generation;
      const assignment = Object.freeze({ topic: this.#topic, topicId, partition, epoch });
      this.#held.set(partition, { assignment, deadlineMs: null });
      steps.push({ do: "assigned", assignment });
    }
    return steps;
  }

  drop(assignment: Assignment): boolean {
    return this.#find(assignment) !== null && this.#held.delete(assignment.partition);
  }

  loseOverdue(nowMs: number): ClassicStep[] {
    const overdue = [...this.#held.values()].filter(
      ({ deadlineMs }) => deadlineMs !== null && deadlineMs <= nowMs,
    );
    return overdue.map(({ assignment }) => this.#lose(assignment, "drainLimit"));
  }

  loseAll(reason: LostReason): ClassicStep[] {
    return this.#assignments().map((assignment) => this.#lose(assignment, reason));
  }

  #assignments(): Assignment[] {
    return [...this.#held.values()].map(({ assignment }) => assignment);
  }

  #drain(assignment: Assignment, deadlineMs: number): ClassicStep[] {
    const held = this.#find(assignment);
    if (!held || held.deadlineMs !== null) return [];
    held.deadlineMs = deadlineMs;
    return [{ do: "revoking", assignment, deadlineMs }];
  }

  #lose(assignment: Assignment, reason: LostReason): ClassicStep {
    this.drop(assignment);
    return { do: "lost", assignment, reason };
  }

  #find(assignment: Assignment): Held | null {
    const held = this.#held.get(assignment.partition);
    return held?.assignment === assignment ? held : null;
  }
}
