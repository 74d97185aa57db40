/**
 * Takes out of an assignment what another member still owns: that one is to give it up first, and gets it off its list in this generation; when it has
 * drained, it joins again, and the partition is given in the next one (KIP-429, Java's CooperativeStickyAssignor).
 *
 * Every claim counts here, also a contradicted one: to wait for somebody who gave it up already costs one more rebalance, not to wait costs
 * two owners at once. Hence it is applied to assignments of every protocol: members of an eager generation own nothing when they
 * join, unless they come from a cooperative one.
 */
import type { GroupAssignment, GroupMemberView } from "./assignor.ts";

export function withoutTransfers(
  assignment: GroupAssignment,
  members: readonly GroupMemberView[],
): GroupAssignment {
  const claims = new Map<string, Set<string>>();
  for (const { memberId, owned } of members)
    for (const { topic, partitions } of owned)
      for (const partition of partitions) {
        const key = `${topic}/${partition}`;
        const claimants = claims.get(key);
        if (claimants) claimants.add(memberId);
        else claims.set(key, new Set([memberId]));
      }
  const safe: GroupAssignment = new Map();
  for (const [memberId, topics] of assignment) {
    const kept = new Map<string, number[]>();
    for (const [topic, partitions] of topics) {
      const free = partitions.filter((partition) => {
        const claimants = claims.get(`${topic}/${partition}`);
        return claimants === undefined || claimants.has(memberId);
      });
      if (free.length > 0) kept.set(topic, free);
    }
    safe.set(memberId, kept);
  }
  return safe;
}
