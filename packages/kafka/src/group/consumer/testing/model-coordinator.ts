/** A group coordinator as KIP-848 describes it, for one member: what a broker would answer to each heartbeat. Test code. */
import type { Heartbeat, HeartbeatAnswer } from "../heartbeat.ts";

export const TOPIC_ID = "00000000-0000-0000-0000-000000000001";

export class ModelCoordinator {
  epoch = 0;
  #previousEpoch = 0;
  #groupEpoch = 1;
  #target = new Set<number>();
  /** What the member may own. */
  assigned = new Set<number>();
  /** What it has been asked for and has not acknowledged. */
  revoking = new Set<number>();
  isKnown = false;

  retarget(partitions: Iterable<number>): void {
    this.#target = new Set(partitions);
    this.#groupEpoch++;
  }

  /** The session ran out, or an operator removed the member. */
  forget(): void {
    this.isKnown = false;
    this.assigned.clear();
    this.revoking.clear();
  }

  /** Partitions that nobody else can have now. */
  holds(partition: number): boolean {
    return this.isKnown && (this.assigned.has(partition) || this.revoking.has(partition));
  }

  heartbeat(heartbeat: Heartbeat): HeartbeatAnswer | "memberUnknown" {
    const { memberEpoch, owned, subscribedTopics } = heartbeat;
    if (memberEpoch === -1) {
      this.forget();
      return { memberEpoch, heartbeatIntervalMs: 1_000, assignment: null };
    }
    if (memberEpoch === 0) {
      this.forget();
      this.isKnown = true;
      this.epoch = 0;
    } else if (!this.isKnown) return "memberUnknown";
    const ownedHere = owned?.flatMap(({ partitions }) => partitions) ?? null;
    if (memberEpoch !== this.epoch && !this.#isLostAnswer(memberEpoch, ownedHere)) {
      this.forget();
      return "memberUnknown";
    }
    const before = [...this.assigned].sort().join();
    if (ownedHere && !ownedHere.some((partition) => this.revoking.has(partition)))
      this.revoking.clear();
    this.#advance();
    const isChanged = before !== [...this.assigned].sort().join();
    const isFull = subscribedTopics !== null || memberEpoch === 0;
    const partitions = [...this.assigned];
    return {
      memberEpoch: this.epoch,
      heartbeatIntervalMs: 1_000,
      assignment: isFull || isChanged ? [{ topicId: TOPIC_ID, partitions }] : null,
    };
  }

  #isLostAnswer(memberEpoch: number, owned: readonly number[] | null): boolean {
    return (
      memberEpoch === this.#previousEpoch &&
      owned !== null &&
      owned.every((partition) => this.assigned.has(partition))
    );
  }

  #advance(): void {
    for (const partition of this.assigned)
      if (!this.#target.has(partition)) {
        this.assigned.delete(partition);
        this.revoking.add(partition);
      }
    if (this.revoking.size > 0 || this.epoch === this.#groupEpoch) return;
    for (const partition of this.#target) this.assigned.add(partition);
    this.#previousEpoch = this.epoch;
    this.epoch = this.#groupEpoch;
  }
}
