import type { SourceReference } from "../../source/open-sources.ts";

/** Where in a partition an offset is asked for. */
export type OffsetQuery = "earliest" | "latest" | { readonly timestampMs: number };

export interface GroupDescription {
  readonly state: string;
  readonly members: readonly { readonly memberId: string; readonly clientId: string }[];
}

/**
 * What the leader asks the brokers of a mapping. Failures are PenstockErrors whose messages are safe to show; a group that doesn't
 * exist has no members.
 */
export interface ClusterAdmin {
  describeTopic(topic: string): Promise<{
    readonly topicId: string;
    readonly partitions: readonly number[];
  }>;
  /** By partition. Offset -1: no record at or after the timestamp. */
  listOffsets(
    topic: string,
    query: OffsetQuery,
  ): Promise<ReadonlyMap<number, { readonly offset: bigint }>>;
  describeGroup(groupId: string): Promise<GroupDescription>;
  /** Sends the leave of a member that can't send it. */
  removeMember(groupId: string, memberId: string): Promise<unknown>;
  /** Removes a group with its offsets. False: there is none. Rejects with `inUse` while it has members. */
  deleteGroup(groupId: string): Promise<boolean>;
  close(): Promise<void>;
}

/** Opens an admin client for the brokers of a source; connects when it is used. */
export type OpenClusterAdmin = (source: SourceReference) => ClusterAdmin;
