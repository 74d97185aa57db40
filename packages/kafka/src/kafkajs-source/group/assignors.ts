/**
 * What this member offers to the group, and what it gives as the leader. Eager protocols only: every member comes with nothing, so each generation may give
 * anything to anybody. The first is the one that kafkajs takes when it is told nothing, the others are Java's.
 */
import type {
  Assign,
  GroupMemberView,
  PartitionCounts,
} from "../../group/classic/assignors/assignor.ts";
import { assignRanges, assignRoundRobin } from "../../group/classic/assignors/range.ts";
import {
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from "../../group/classic/consumer-protocol.ts";

const ASSIGNORS: Readonly<Record<string, Assign>> = {
  RoundRobinAssigner: assignRoundRobin,
  range: assignRanges,
  roundrobin: assignRoundRobin,
};

export interface JoinedMember {
  readonly memberId: string;
  readonly memberMetadata: Buffer;
}

export function offers(topic: string): { name: string; metadata: Buffer }[] {
  const metadata = encodeSubscription({
    topics: [topic],
    owned: [],
    generation: -1,
    rack: null,
    userData: null,
  });
  return Object.keys(ASSIGNORS).map((name) => ({ name, metadata }));
}

/** A member whose metadata can't be read takes part, with nothing. */
export function viewMembers(members: readonly JoinedMember[]): GroupMemberView[] {
  return members.map(({ memberId, memberMetadata }) => ({
    memberId,
    groupInstanceId: null,
    topics: decodeSubscription(memberMetadata)?.topics ?? [],
    owned: [],
    generation: -1,
  }));
}

/** What the leader sends for everybody. */
export function assign(
  protocol: string,
  members: readonly GroupMemberView[],
  counts: PartitionCounts,
): { memberId: string; memberAssignment: Buffer }[] {
  const assignment = (ASSIGNORS[protocol] ?? assignRoundRobin)(members, counts);
  return [...assignment].map(([memberId, topics]) => ({
    memberId,
    memberAssignment: encodeAssignment({
      partitions: [...topics].map(([topic, partitions]) => ({ topic, partitions })),
      userData: null,
    }),
  }));
}
