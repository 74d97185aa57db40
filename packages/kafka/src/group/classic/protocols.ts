/**
 * The assignors that are offered to a group, and what the leader does with the one that the coordinator took: the first choice of most members among
 * those that every member offers.
 *
 * All are offered, cooperative-sticky first: a group of ours is cooperative, and one with members that can't (kafkajs, Java with range) is eager as long as
 * they are in it. Java forbids to mix both in one consumer, because its members decide before they join whether to revoke; ours
 * decide by the protocol of the generation that they leave. So a generation is entered with partitions in hand only from a cooperative
 * one, whose leader goes on leading (the coordinator changes it only when it is gone) and withholds what is claimed, whatever the
 * protocol is. A leader of another client doesn't: then `honoursClaims` is missing, and what it didn't give us is lost at once.
 */
import type { GroupAssignment, GroupMemberView, PartitionCounts } from "./assignors/assignor.ts";
import { withoutTransfers } from "./assignors/cooperative.ts";
import { assignRanges, assignRoundRobin } from "./assignors/range.ts";
import { assignSticky } from "./assignors/sticky.ts";
import {
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  type MemberAssignment,
  type Subscription,
  stickyUserData,
} from "./consumer-protocol.ts";
import type { JoinedMember, JoinRequest, SyncRequest } from "./exchange.ts";

const COOPERATIVE_STICKY = "cooperative-sticky";

const ASSIGNORS = {
  [COOPERATIVE_STICKY]: assignSticky,
  range: assignRanges,
  roundrobin: assignRoundRobin,
  // Of kafkajs, which takes no other unless it is told to.
  RoundRobinAssigner: assignRoundRobin,
} as const;

/**
 * User data of an assignment that leaves to each member what it claimed, of whatever generation, or to nobody. Only where it is needed: brokers refuse to make a group over to the
 * consumer protocol while its assignments have user data.
 */
const CLAIMS_HONOURED = Buffer.from("penstock/claims-honoured");

export function isCooperative(protocol: string): boolean {
  return protocol === COOPERATIVE_STICKY;
}

export function offeredProtocols(
  subscription: Omit<Subscription, "userData">,
): JoinRequest["protocols"] {
  return Object.keys(ASSIGNORS).map((name) => {
    const userData = isCooperative(name) ? stickyUserData(subscription.generation) : null;
    return { name, metadata: encodeSubscription({ ...subscription, userData }) };
  });
}

/** Members whose metadata can't be read take part, with nothing. */
export function viewMembers(members: readonly JoinedMember[]): GroupMemberView[] {
  return members.map(({ memberId, groupInstanceId, metadata }) => {
    const { topics, owned, generation } = decodeSubscription(metadata) ?? NOTHING;
    return { memberId, groupInstanceId, topics, owned, generation };
  });
}

const NOTHING = { topics: [], owned: [], generation: -1 };

export function topicsOf(members: readonly GroupMemberView[]): string[] {
  return [...new Set(members.flatMap(({ topics }) => topics))].sort();
}

/** What the leader sends for everybody. */
export function assignmentsOf(
  protocol: string,
  members: readonly GroupMemberView[],
  partitionCounts: PartitionCounts,
): SyncRequest["assignments"] {
  const assign = ASSIGNORS[protocol as keyof typeof ASSIGNORS] ?? assignSticky;
  const assignment: GroupAssignment = withoutTransfers(assign(members, partitionCounts), members);
  const isEnteredWithClaims = members.some(({ owned }) => owned.length > 0);
  // Of cooperative ones only where something moves, so that the next generation, which follows at once, is without.
  const isNeeded = isCooperative(protocol) ? takesClaims(assignment, members) : isEnteredWithClaims;
  const userData = isNeeded ? CLAIMS_HONOURED : null;
  return [...assignment].map(([memberId, topics]) => ({
    memberId,
    assignment: encodeAssignment({
      partitions: [...topics].map(([topic, partitions]) => ({ topic, partitions })),
      userData,
    }),
  }));
}

/** Whether a member is to give up something that it claims. */
function takesClaims(assignment: GroupAssignment, members: readonly GroupMemberView[]): boolean {
  return members.some(({ memberId, owned }) =>
    owned.some(({ topic, partitions }) => {
      const given = new Set(assignment.get(memberId)?.get(topic));
      return partitions.some((partition) => !given.has(partition));
    }),
  );
}

/** Whether what the assignment leaves out of our claims is kept free until we gave it up. `isOutrun`: the claims are of an old generation. */
export function honoursClaims(
  protocol: string,
  { userData }: MemberAssignment,
  isOutrun: boolean,
): boolean {
  if (userData?.equals(CLAIMS_HONOURED)) return true;
  return isCooperative(protocol) && !isOutrun;
}
