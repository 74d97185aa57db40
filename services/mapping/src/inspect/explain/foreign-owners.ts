/** A partition's owner in the group that is no event poller of the mapping. */
export interface GroupMember {
  readonly memberId: string;
  readonly clientId: string;
  readonly assignment: readonly {
    readonly topic: string;
    readonly partitions: readonly number[];
  }[];
}

/** By partition: the member that has it and is not ours, as `client id (member id)`. */
export function foreignOwners(
  members: readonly GroupMember[],
  topic: string,
  ourMemberIds: ReadonlySet<string>,
): ReadonlyMap<number, string> {
  const owners = new Map<number, string>();
  for (const { memberId, clientId, assignment } of members) {
    if (ourMemberIds.has(memberId)) continue;
    for (const part of assignment)
      if (part.topic === topic)
        for (const partition of part.partitions) owners.set(partition, `${clientId} (${memberId})`);
  }
  return owners;
}
