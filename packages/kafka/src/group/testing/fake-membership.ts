/** A membership that says what a test tells it to. Test code. */
import type { Assignment } from "@penstock/core";
import type { Membership } from "../membership.ts";

export class FakeMembership implements Membership {
  readonly memberId = "m";
  groupInstanceId: string | null = null;
  memberEpoch = 1;
  incarnation = 1;
  readonly alive = new Set<Assignment>();
  readonly revoking = new Set<Assignment>();
  readonly fencedOnes: Assignment[] = [];
  /** What `confirm` does; the default proves the member. */
  onConfirm: () => boolean = () => true;
  confirms = 0;

  own(partition: number, epoch = this.memberEpoch): Assignment {
    const assignment = { topic: "t", topicId: "id", partition, epoch };
    this.alive.add(assignment);
    return assignment;
  }

  /** Null: of the assignment. A number, or "none" between two generations: as a classic member says it. */
  generation: number | "none" | null = null;

  commitEpoch(assignment: Assignment): number | null {
    if (this.generation === "none") return null;
    return this.generation ?? assignment.epoch;
  }

  isAlive(assignment: Assignment): boolean {
    return this.alive.has(assignment);
  }

  isRevoking(assignment: Assignment): boolean {
    return this.revoking.has(assignment);
  }

  release(assignment: Assignment): void {
    this.alive.delete(assignment);
  }

  fenced(assignment: Assignment): void {
    this.alive.delete(assignment);
    this.fencedOnes.push(assignment);
  }

  memberUnknown(incarnation: number): void {
    if (incarnation !== this.incarnation) return;
    this.incarnation++;
    this.alive.clear();
  }

  async confirm(): Promise<boolean> {
    this.confirms++;
    return this.onConfirm();
  }

  mayDispatch(): boolean {
    return true;
  }

  expectChange(): void {}

  async leave(): Promise<void> {}

  abort(): void {}
}
