/**
 * A member that reads and commits what it has read, as a lane does whose calls take no time: one commit in flight for each partition, what was
 * asked back is given up when its last commit is answered.
 */
import type { Assignment, RecordSourceDriver } from "@penstock/core";
import { Probe, type ProbeOptions } from "./probe.ts";

export class Reader {
  readonly probe: Probe;
  /** Offsets that were read, by partition, in their order, those read again too. */
  readonly read = new Map<number, number[]>();
  /** Answers to commits. */
  readonly answers = { committed: 0, fenced: 0, unknown: 0 };
  #committed = new Map<Assignment, bigint>();
  #busy = new Set<Assignment>();
  #seen = 0;
  #released = new Set<Assignment>();

  constructor(driver: RecordSourceDriver, options: ProbeOptions) {
    this.probe = new Probe(driver, { ...options, fetches: true, releasesAtOnce: false });
    this.probe.onEvent = () => this.#look();
  }

  get count(): number {
    return [...this.read.values()].reduce((sum, offsets) => sum + offsets.length, 0);
  }

  #look(): void {
    for (const event of this.probe.events.slice(this.#seen)) {
      if (event.kind !== "records") continue;
      const of = this.read.get(event.assignment.partition) ?? [];
      this.read.set(event.assignment.partition, of);
      of.push(...event.offsets.map(Number));
    }
    this.#seen = this.probe.events.length;
    for (const assignment of this.probe.held.values()) void this.#settle(assignment);
  }

  async #settle(assignment: Assignment): Promise<void> {
    if (this.#busy.has(assignment) || this.#released.has(assignment)) return;
    const next = this.probe
      .of("records")
      .findLast((event) => event.assignment === assignment)?.nextOffset;
    const isOpen = next !== undefined && next > (this.#committed.get(assignment) ?? -1n);
    if (isOpen) {
      this.#busy.add(assignment);
      const result = await this.probe.commit(assignment, next);
      this.#busy.delete(assignment);
      this.answers[result]++;
      if (result === "committed") this.#committed.set(assignment, next);
      if (result !== "fenced") return this.#settle(assignment);
    } else if (this.probe.of("revoking").some((event) => event.assignment === assignment)) {
      this.#released.add(assignment);
      this.probe.release(assignment);
    }
  }
}
