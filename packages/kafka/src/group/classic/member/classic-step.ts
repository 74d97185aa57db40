/** What a member of a classic group wants to be done, and what it must know. */
import type { Assignment, LostReason } from "@penstock/core";

export type ClassicStep =
  | { readonly do: "heartbeat" }
  /** Send what `joinRequest` says, over the connection for joins. */
  | { readonly do: "join" }
  /** Look up the partitions of `generation.topics`, for `topicsRead`. */
  | { readonly do: "readTopics" }
  | { readonly do: "sync" }
  /** The answer to the join or sync on its way is not waited for any more. */
  | { readonly do: "dropJoin" }
  | { readonly do: "leave" }
  | { readonly do: "assigned"; readonly assignment: Assignment }
  | { readonly do: "revoking"; readonly assignment: Assignment; readonly deadlineMs: number }
  | { readonly do: "lost"; readonly assignment: Assignment; readonly reason: LostReason }
  | { readonly do: "changed" };

export interface ClassicMemberOptions {
  readonly topic: string;
  readonly drainLimitMs: number;
  readonly sessionTimeoutMs: number;
  readonly groupInstanceId: string | null;
  readonly rack: string | null;
}

/** What is known of a topic. */
export interface KnownTopic {
  readonly topicId: string;
  readonly partitionCount: number;
}
