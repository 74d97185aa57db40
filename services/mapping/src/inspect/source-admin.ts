import type { SourceAccess } from "@penstock/core";
import type { GroupMember } from "./explain/foreign-owners.ts";

/** A record as read for a look, not for delivery. */
export interface NewestRecord {
  readonly partition: number;
  readonly offset: bigint;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly { readonly key: Buffer; readonly value: Buffer | null }[];
}

/** What a look at a mapping's source asks of its brokers. Failures are PenstockErrors with the precise code. */
export interface SourceAdmin {
  describeTopic(
    topic: string,
  ): Promise<{ readonly topicId: string; readonly partitions: readonly number[] }>;
  describeGroup(groupId: string): Promise<{ readonly members: readonly GroupMember[] }>;
  committedOffsets(groupId: string, topic: string): Promise<ReadonlyMap<number, unknown>>;
  /** The newest records, without a consumer group; bounded in number, bytes and time. */
  newestRecords(topic: string, count: number): Promise<readonly NewestRecord[]>;
  close(): Promise<void>;
}

export interface Source {
  readonly bootstrapServers: readonly string[];
  readonly sourceAccess: readonly SourceAccess[];
}

/** Opens a client for one look; it connects when it is asked something. */
export type OpenSource = (source: Source) => SourceAdmin;
