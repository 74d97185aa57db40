import { ERROR_TABLE, type ErrorCode } from "../errors/error-table.ts";
import type { MappingState } from "../mapping/mapping.ts";
import {
  type MappingProblem,
  NO_NODE,
  NOT_CHANGED,
  NOT_JOINED,
  NOT_PINNED,
} from "./mapping-problem.ts";

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
  /** What is known to keep it from running. */
  readonly problem: MappingProblem | null;
}

export interface LifecycleLimits {
  readonly drainLimitMs: number;
  /** A start ends after this time, with or without success. */
  readonly enablingMaxMs: number;
  /** It ends after this time already with a problem that waiting won't mend. */
  readonly problemSettleMs: number;
}

export type LifecycleDecision =
  | { readonly do: "wait" }
  /** `problem`: with which the transition ended; null leaves what is known of it as it is. */
  | {
      readonly do: "become";
      readonly state: "Enabled" | "Disabled";
      readonly problem: MappingProblem | null;
    }
  /** `unconfirmed`: nodes of which nothing could be learned, the brokers being away too. */
  | { readonly do: "delete"; readonly unconfirmed: readonly string[] };

const WAIT: LifecycleDecision = { do: "wait" };

/** Whether the node has said, after it was told to stop, that it holds nothing of the mapping. */
export function hasConfirmed(holder: Holder): boolean {
  if (holder.isAssigned || holder.held.length > 0) return false;
  return holder.removal === null || holder.appliedGeneration >= holder.removal;
}

/**
 * The next state of a mapping. `started`: its start position is pinned, and the event pollers that are up have its settings, and one has joined the group.
 *
 *     Creating, Enabling, Updating ──(started)────────────────▶ Enabled
 *                                  ──(limit, or hopeless)─────▶ Enabled, with the problem; what is missing is tried on
 *     Creating, to be disabled ─────(pinned, limit, hopeless)─▶ Disabled, when nobody can call
 *     Updating, while disabled ───────────────────────────────▶ Disabled, when nobody can call
 *     Disabling ─(nobody can call)────────────────────────────▶ Disabled
 *     Deleting ──(nobody can call, or nobody can be asked)────▶ gone
 *
 * "Nobody can call": each holder has confirmed, or is gone while Kafka's group has shown none of our members for the drain
 * limit. A holder that is up and silent about it is waited for, however long.
 */
export function decideLifecycle(facts: LifecycleFacts, limits: LifecycleLimits): LifecycleDecision {
  switch (facts.state) {
    case "Creating":
    case "Enabling":
    case "Updating":
      return decideStarting(facts, limits);
    case "Disabling":
      return mayCall(facts, limits) ? WAIT : become("Disabled");
    case "Deleting":
      return decideDeleting(facts, limits);
    default:
      return WAIT;
  }
}

function isBehind(present: readonly Holder[], revision: bigint): boolean {
  return present.some((one) => one.held.some((held) => held.revision < revision));
}

/** Why a mapping that is pinned doesn't run, when nobody has said it. */
export function whyNotRunning({
  holders,
  revision,
}: Pick<LifecycleFacts, "holders" | "revision">): MappingProblem {
  const present = holders.filter((one) => !one.isGone);
  if (isBehind(present, revision)) return NOT_CHANGED;
  return present.some((one) => one.isAssigned) ? NOT_JOINED : NO_NODE;
}

/** Whether an event poller of it is a member of its group, with the present settings everywhere. */
export function isRunning({ holders, revision }: Pick<LifecycleFacts, "holders" | "revision">) {
  const present = holders.filter((one) => !one.isGone);
  if (isBehind(present, revision)) return false;
  return present.some((one) => one.isAssigned && one.held.some((held) => held.hasJoined));
}

function become(
  state: "Enabled" | "Disabled",
  problem: MappingProblem | null = null,
): LifecycleDecision {
  return { do: "become", state, problem };
}

function decideStarting(facts: LifecycleFacts, limits: LifecycleLimits): LifecycleDecision {
  const { isEnabled, arePinned, stateForMs } = facts;
  const target = isEnabled ? "Enabled" : "Disabled";
  if (!isEnabled && mayCall(facts, limits)) return WAIT;
  if (!isEnabled && (arePinned || facts.state !== "Creating")) return become(target);
  if (isEnabled && arePinned && isRunning(facts)) return become(target);
  const problem = facts.problem ?? (arePinned ? whyNotRunning(facts) : NOT_PINNED);
  if (stateForMs >= limits.enablingMaxMs) return become(target, problem);
  const isSettled = stateForMs >= limits.problemSettleMs && isHopeless(problem);
  return isSettled ? become(target, problem) : WAIT;
}

/** Only an operator can mend it: waiting is of no use. */
function isHopeless(problem: MappingProblem): boolean {
  if (problem === NO_NODE) return true;
  const { code } = problem;
  return Object.hasOwn(ERROR_TABLE, code) && ERROR_TABLE[code as ErrorCode].retry === "operator";
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
