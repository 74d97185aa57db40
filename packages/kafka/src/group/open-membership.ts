/** Opens a member of a consumer group that speaks the protocol it is told to. */
import { randomUUID } from "node:crypto";
import type { Clock } from "@penstock/core";
import type { Cluster } from "../cluster/cluster.ts";
import type { KafkaLog } from "../cluster/log.ts";
import { AutoMembership, type SpokenProtocol } from "./auto-membership.ts";
import { ClassicMembership } from "./classic/classic-membership.ts";
import { ConsumerMembership } from "./consumer/consumer-membership.ts";
import type { Membership, MembershipEvents } from "./membership.ts";

export type GroupProtocol = "auto" | "consumer" | "classic";

export interface OpenMembershipOptions {
  readonly protocol: GroupProtocol;
  readonly cluster: Cluster;
  readonly groupId: string;
  readonly topic: string;
  readonly drainLimitMs: number;
  /** Of a classic member. */
  readonly sessionTimeoutMs: number;
  readonly groupInstanceId: string | null;
  /** "" = none. */
  readonly rack: string;
  readonly clock: Clock;
  readonly log: KafkaLog;
}

export function openMembership(
  options: OpenMembershipOptions,
  events: MembershipEvents,
): Membership & { start(): void } {
  const { protocol, rack } = options;
  const open = (
    spoken: SpokenProtocol,
    toEvents: MembershipEvents,
    protocolRefused: () => void,
    mayBeStatic = true,
  ) => {
    const groupInstanceId = mayBeStatic ? options.groupInstanceId : null;
    const all = { ...options, groupInstanceId, protocolRefused };
    return spoken === "consumer"
      ? new ConsumerMembership({ ...all, memberId: randomUUID() }, toEvents)
      : new ClassicMembership({ ...all, rack: rack || null }, toEvents);
  };
  if (protocol === "auto") return new AutoMembership({ clock: options.clock, open }, events);
  return open(protocol, events, () => {});
}
