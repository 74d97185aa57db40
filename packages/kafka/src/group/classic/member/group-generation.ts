/**
 * The generation of a classic group that a member is in, and what its leader knows of it.
 *
 * Two numbers: of the generation that was joined, which heartbeats name, and of the one whose assignment is known, which commits carry. They differ between the
 * answer to a join and that to the sync.
 */
import type { GroupMemberView } from "../assignors/assignor.ts";
import { decodeAssignment, type MemberAssignment } from "../consumer-protocol.ts";
import { type JoinAnswer, NO_GENERATION, type SyncRequest } from "../exchange.ts";
import { assignmentsOf, isCooperative, topicsOf, viewMembers } from "../protocols.ts";
import type { KnownTopic } from "./classic-step.ts";

export class GroupGeneration {
  memberId = "";
  joined = NO_GENERATION;
  synced = NO_GENERATION;
  /** Of the generation whose assignment is known; before the first there is nothing to drain either. */
  isCooperative = true;
  /**
   * Between the generation whose assignment is known, of which our claims are, and the one that was joined there was another. Java's leaders (at least 2.5 to 3.x)
   * heed only the claims of the newest generation, and may have given ours away. To claim with the generation that was joined would make the claims of
   * Java's members look old, who name the one whose assignment they know; and a joined eager one may have given ours away indeed.
   */
  isOutrun = false;
  /** What the leader gave to us says nothing that we understand. */
  isUnreadable = false;
  /** What the leader sends to all. */
  assignments: SyncRequest["assignments"] = [];
  #answer: JoinAnswer | null = null;
  #members: readonly GroupMemberView[] = [];
  #topics: readonly string[] = [];
  /** For which partitions the assignment was made. */
  #partitionCounts: ReadonlyMap<string, number> | null = null;

  get protocol(): string {
    return this.#answer?.protocol ?? "";
  }

  get isLeader(): boolean {
    return this.#answer !== null && this.#answer.leaderId === this.memberId;
  }

  /** The leader came back as a static member: the assignment of before stays, and it doesn't know for which partitions that was made. */
  get skipsAssignment(): boolean {
    return this.isLeader && (this.#answer?.skipsAssignment ?? false);
  }

  /** Topics of all members when we lead, else nothing. */
  get topics(): readonly string[] {
    return this.isLeader ? this.#topics : [];
  }

  /** Null: it is not known now what is ours. */
  get ofCommits(): number | null {
    return this.synced === this.joined ? this.joined : null;
  }

  join(answer: JoinAnswer): void {
    this.#answer = answer;
    this.memberId = answer.memberId;
    this.joined = answer.generation;
    this.isOutrun = this.joined > this.synced + 1 && !this.isLeader;
    this.assignments = [];
    this.#partitionCounts = null;
    this.#members = this.isLeader ? viewMembers(answer.members) : [];
    this.#topics = topicsOf(this.#members);
  }

  /** A topic without a number is missing, or we may not see it: whoever reads it gets nothing of it from us. */
  assign(partitionCounts: ReadonlyMap<string, number>): void {
    this.#partitionCounts = partitionCounts;
    this.assignments = assignmentsOf(this.protocol, this.#members, partitionCounts);
  }

  /** What can't be read counts as nothing: whatever the leader meant, it gave none of it to others. */
  sync(encoded: Buffer): MemberAssignment {
    const assignment = decodeAssignment(encoded);
    this.isUnreadable = assignment === null;
    this.synced = this.joined;
    this.isCooperative = isCooperative(this.protocol);
    this.assignments = [];
    return assignment ?? { partitions: [], userData: null };
  }

  /** As the leader: the assignment was made for other partitions than there are. */
  isOutdated(topics: ReadonlyMap<string, KnownTopic | null>): boolean {
    const counts = this.#partitionCounts;
    if (counts === null || !this.isLeader) return false;
    return [...topics].some(
      ([topic, known]) =>
        this.#topics.includes(topic) && counts.get(topic) !== known?.partitionCount,
    );
  }
}
