/** What a member of a classic group asks for with a join. */
import type { NamedPartitions } from "../consumer-protocol.ts";
import { type JoinRequest, NO_GENERATION } from "../exchange.ts";
import { offeredProtocols } from "../protocols.ts";
import { rebalanceTimeoutMs } from "../session-timeouts.ts";
import type { ClassicMemberOptions } from "./classic-step.ts";

interface Joining extends Pick<JoinRequest, "memberId" | "groupInstanceId" | "sessionTimeoutMs"> {
  /** What is claimed, and the generation whose assignment it is of. */
  readonly owned: readonly NamedPartitions[];
  readonly generation: number;
}

export function joinRequestOf(
  { topic, drainLimitMs, rack }: ClassicMemberOptions,
  { owned, generation: synced, ...name }: Joining,
): JoinRequest {
  const generation = owned.length > 0 ? synced : NO_GENERATION;
  return {
    ...name,
    rebalanceTimeoutMs: rebalanceTimeoutMs(drainLimitMs, name.sessionTimeoutMs),
    protocols: offeredProtocols({ topics: [topic], owned, generation, rack }),
  };
}
