import type { MappingState } from "@penstock/core";

/** A node that runs, may run or may still run event pollers of a mapping. */
export interface Holder {
  readonly nodeId: string;
  /** Declared vanished. */
  readonly isGone: boolean;
  /** It is to run some. */
  readonly isAssigned: boolean;
  /** The generation at which it was told to give some up, null when it confirmed or never was. */
  readonly removal: bigint | null;
  readonly appliedGeneration: bigint;
  /** What it says that it holds. */
  readonly held: readonly { readonly revision: bigint; readonly hasJoined: boolean }[];
}

/** What Kafka says about the members of holders that are gone, by the leader's clock. */
export interface GroupVerdict {
  /** For how long the group's description has shown none of our members but those that are accounted for; null: it shows some, or was not asked. */
  readonly clearForMs: number | null;
  /** For how long the brokers could not be asked; null: they answer, or were not asked. */
  readonly unreachableForMs: number | null;
}

export interface LifecycleFacts {
  readonly state: MappingState;
  readonly revision: bigint;
  readonly isEnabled: boolean;
  readonly arePinned: boolean;
  /** For how long it has been in this state. */
  readonly stateForMs: number;
  readonly holders: readonly Holder[];
  readonly group: GroupVerdict;
  /** The first problem that an event poller of it reports. */
  readonly problem: string | null;
}

export interface LifecycleLimits {
  readonly drainLimitMs: number;
  readonly enablingMaxMs: number;
}

export type LifecycleDecision =
  | { readonly do: "wait" }
  | { readonly do: "become"; readonly state: "Enabled" | "Disabled"; readonly reason: string }
  /** `unconfirmed`: nodes of which nothing could be learned, the brokers being away too. */
  | { readonly do: "delete"; readonly unconfirmed: readonly string[] };

/** The reason of a state that the user asked for and got. */
export const USER_INITIATED = "USER_INITIATED";

const WAIT: LifecycleDecision = { do: "wait" };

/** Whether the node has said, after it was told to stop, that it holds nothing of the mapping. */
export function hasConfirmed(holder: Holder): boolean {
  if (holder.isAssigned || holder.held.length > 0) return false;
  return holder.removal === null || holder.appliedGeneration >= holder.removal;
}

/**
 * The next state of a mapping.
 *
 *     Creating ──(start pinned)──────────────▶ Enabled | Disabled
 *     Enabling ──(a holder joined, or 30 s)──▶ Enabled
 *     Updating ──(all holders have it)───────▶ Enabled | Disabled
 *     Disabling ─(nobody can call)───────────▶ Disabled
 *     Deleting ──(nobody can call, or nobody can be asked)──▶ gone
 *
 * "Nobody can call": each holder has confirmed, or is gone while Kafka's group has shown none of our members for the drain
 * limit. A holder that is up and silent about it is waited for, however long.
 */
export function decideLifecycle(facts: LifecycleFacts, limits: LifecycleLimits): LifecycleDecision {
  switch (facts.state) {
    case "Creating":
      return facts.arePinned ? settle(facts) : WAIT;
    case "Updating":
      return facts.isEnabled && facts.holders.some((one) => isBehind(one, facts.revision))
        ? WAIT
        : settle(facts);
    case "Enabling":
      return decideEnabling(facts, limits);
    case "Disabling":
      return mayCall(facts, limits) ? WAIT : become("Disabled");
    case "Deleting":
      return decideDeleting(facts, limits);
    default:
      return WAIT;
  }
}

function settle(facts: LifecycleFacts): LifecycleDecision {
  return become(facts.isEnabled ? "Enabled" : "Disabled");
}

function become(state: "Enabled" | "Disabled", reason = USER_INITIATED): LifecycleDecision {
  return { do: "become", state, reason };
}

function isBehind(holder: Holder, revision: bigint): boolean {
  return !holder.isGone && holder.held.some((one) => one.revision < revision);
}

function decideEnabling(facts: LifecycleFacts, limits: LifecycleLimits): LifecycleDecision {
  const present = facts.holders.filter((one) => !one.isGone);
  if (present.some((one) => one.isAssigned && one.held.some((held) => held.hasJoined))) {
    return become("Enabled");
  }
  if (facts.stateForMs < limits.enablingMaxMs) return WAIT;
  const guess = present.some((one) => one.isAssigned)
    ? "No event poller has joined the consumer group yet."
    : "No poller node is up.";
  return become("Enabled", `PROBLEM: ${facts.problem ?? guess}`);
}

function mayCall(facts: LifecycleFacts, limits: LifecycleLimits): boolean {
  const open = facts.holders.filter((one) => !hasConfirmed(one));
  if (open.some((one) => !one.isGone || one.isAssigned)) return true;
  if (open.length === 0) return false;
  return facts.group.clearForMs === null || facts.group.clearForMs < limits.drainLimitMs;
}

function decideDeleting(facts: LifecycleFacts, limits: LifecycleLimits): LifecycleDecision {
  if (!mayCall(facts, limits)) return { do: "delete", unconfirmed: [] };
  const open = facts.holders.filter((one) => !hasConfirmed(one));
  if (open.some((one) => !one.isGone || one.isAssigned)) return WAIT;
  const { unreachableForMs } = facts.group;
  const isHopeless = unreachableForMs !== null && unreachableForMs >= limits.drainLimitMs;
  if (!isHopeless || facts.stateForMs < limits.drainLimitMs) return WAIT;
  return { do: "delete", unconfirmed: open.map((one) => one.nodeId) };
}
