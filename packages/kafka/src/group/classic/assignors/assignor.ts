/**
 * Who gets what in a generation: computed by the leader of a classic group for all of its members, also those of other clients and those that read
 * other topics. Pure.
 */
import type { NamedPartitions } from "../consumer-protocol.ts";

/** A member as the leader sees it. */
export interface GroupMemberView {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly topics: readonly string[];
  readonly owned: readonly NamedPartitions[];
  readonly generation: number;
}

/** Number of partitions of each topic that somebody reads; absent: there is no such topic. */
export type PartitionCounts = ReadonlyMap<string, number>;

/** Partitions of each member, by topic. Every member has an entry. */
export type GroupAssignment = Map<string, Map<string, number[]>>;

export type Assign = (
  members: readonly GroupMemberView[],
  partitionCounts: PartitionCounts,
) => GroupAssignment;

export function emptyAssignment(members: readonly GroupMemberView[]): GroupAssignment {
  return new Map(members.map(({ memberId }) => [memberId, new Map()]));
}

export function give(
  assignment: GroupAssignment,
  memberId: string,
  topic: string,
  partitions: readonly number[],
): void {
  const topics = assignment.get(memberId);
  if (!topics || partitions.length === 0) return;
  const present = topics.get(topic);
  if (present) present.push(...partitions);
  else topics.set(topic, [...partitions]);
}

/** Members in Java's order (`AbstractPartitionAssignor.MemberInfo`): static ones by instance id, then the others by member id. */
export function inJavaOrder(members: readonly GroupMemberView[]): GroupMemberView[] {
  return [...members].sort((a, b) => {
    if (a.groupInstanceId !== null && b.groupInstanceId !== null)
      return compareText(a.groupInstanceId, b.groupInstanceId);
    if (a.groupInstanceId !== null) return -1;
    if (b.groupInstanceId !== null) return 1;
    return compareText(a.memberId, b.memberId);
  });
}

/** By UTF-16 units, as Java's String.compareTo. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
