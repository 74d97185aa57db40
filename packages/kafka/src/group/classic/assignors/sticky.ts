/**
 * Balanced and sticky, in the sense of Java's AbstractStickyAssignor: who owns a partition keeps it as long as the balance allows.
 *
 * Balanced: no member has two partitions more than another one that reads the topic of one of them. Three steps: everybody keeps what it validly
 * claims; what is free goes to the reader with the least; then partitions move from those with most to those with least, one by
 * one, until the balance holds. Each move lowers the sum of squares, so it ends.
 */
import type { NamedPartitions } from "../consumer-protocol.ts";
import {
  type Assign,
  compareText,
  emptyAssignment,
  type GroupMemberView,
  give,
  inJavaOrder,
} from "./assignor.ts";

interface Share {
  readonly memberId: string;
  readonly topics: ReadonlySet<string>;
  /** By topic. What came last is moved first, so what is kept from before stays. */
  readonly held: Map<string, number[]>;
  count: number;
}

export const assignSticky: Assign = (members, partitionCounts) => {
  const shares: Share[] = inJavaOrder(members).map(({ memberId, topics }) => ({
    ...{ memberId, topics: new Set(topics), held: new Map(), count: 0 },
  }));
  const taken = keepClaims(members, shares, partitionCounts);
  dealFree(shares, partitionCounts, taken);
  balance(shares);
  const assignment = emptyAssignment(members);
  for (const { memberId, held } of shares)
    for (const [topic, partitions] of held)
      give(
        assignment,
        memberId,
        topic,
        partitions.sort((a, b) => a - b),
      );
  return assignment;
};

/**
 * A claim counts when the member still reads the topic and the partition exists. Of several members that claim one, the newest generation is right
 * (the others missed a rebalance); two of the same generation contradict each other, so none is.
 */
function keepClaims(
  members: readonly GroupMemberView[],
  shares: readonly Share[],
  partitionCounts: ReadonlyMap<string, number>,
): Set<string> {
  const best = new Map<string, { generation: number; owners: Set<string> }>();
  for (const { memberId, generation, owned, topics } of members) {
    const reads = new Set(topics);
    for (const { key, topic, partition } of each(owned)) {
      if (!reads.has(topic) || partition < 0 || partition >= (partitionCounts.get(topic) ?? 0))
        continue;
      const known = best.get(key);
      if (known === undefined || generation > known.generation)
        best.set(key, { generation, owners: new Set([memberId]) });
      else if (generation === known.generation) known.owners.add(memberId);
    }
  }
  const taken = new Set<string>();
  const claims = new Map(members.map(({ memberId, owned }) => [memberId, owned]));
  for (const share of shares)
    for (const { key, topic, partition } of each(claims.get(share.memberId) ?? [])) {
      const owners = best.get(key)?.owners;
      if (owners?.size !== 1 || !owners.has(share.memberId) || taken.has(key)) continue;
      taken.add(key);
      add(share, topic, partition);
    }
  return taken;
}

/** Topics with few readers first: their partitions have the least choice. */
function dealFree(
  shares: readonly Share[],
  partitionCounts: ReadonlyMap<string, number>,
  taken: ReadonlySet<string>,
): void {
  const topics = [...partitionCounts].map(([topic, count]) => ({
    ...{ topic, count, readers: shares.filter((share) => share.topics.has(topic)) },
  }));
  topics.sort((a, b) => a.readers.length - b.readers.length || compareText(a.topic, b.topic));
  for (const { topic, count, readers } of topics) {
    if (readers.length === 0) continue;
    for (let partition = 0; partition < count; partition++) {
      if (taken.has(keyOf(topic, partition))) continue;
      const least = readers.reduce((best, share) => (share.count < best.count ? share : best));
      add(least, topic, partition);
    }
  }
}

function balance(shares: readonly Share[]): void {
  const order = [...shares];
  for (let moved = true; moved; ) {
    order.sort((a, b) => a.count - b.count || compareText(a.memberId, b.memberId));
    moved = moveOne(order);
  }
}

/** From as high as possible to as low as possible. */
function moveOne(ascending: readonly Share[]): boolean {
  for (const to of ascending) {
    for (let at = ascending.length - 1; at >= 0; at--) {
      const from = ascending[at] as Share;
      if (from.count - to.count < 2) break;
      for (const [topic, partitions] of from.held) {
        if (!to.topics.has(topic)) continue;
        const partition = partitions.pop();
        if (partition === undefined) continue;
        from.count--;
        if (partitions.length === 0) from.held.delete(topic);
        add(to, topic, partition);
        return true;
      }
    }
  }
  return false;
}

function add(share: Share, topic: string, partition: number): void {
  const present = share.held.get(topic);
  if (present) present.push(partition);
  else share.held.set(topic, [partition]);
  share.count++;
}

function* each(lists: readonly NamedPartitions[]) {
  for (const { topic, partitions } of lists)
    for (const partition of partitions) yield { key: keyOf(topic, partition), topic, partition };
}

function keyOf(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}
