import { type ConcurrencyLease, divideConcurrency } from "@penstock/core";
import { notifyFleet } from "../../fleet/fleet-notice.ts";
import type { LeaderContext } from "../leader-context.ts";
import {
  type FunctionCap,
  readCaps,
  readLiveInvokers,
  readShares,
  type StoredShare,
  writeShares,
} from "./share-table.ts";

/** How long one invoker keeps its turn when a function allows fewer calls than there are invokers. */
const TURN_MS = 60_000;

/**
 * Leases each live invoker a share of the calls of every function that has a limit, and renews the leases while it leads
 * (`divideConcurrency` says what never happens). Without a leader the shares lapse: rather no call than one too many.
 */
export class ShareController {
  readonly #context: LeaderContext;

  constructor(context: LeaderContext) {
    this.#context = context;
  }

  async run(): Promise<void> {
    const { db, term, settings, nowMs } = this.#context;
    if (!term.isValid) return;
    const [caps, shares] = await Promise.all([readCaps(db.sql), readShares(db.sql)]);
    if (caps.length === 0 && shares.length === 0) return;
    // An invoker that was not seen twice is given no more; it is called vanished later.
    const silentMs = Math.min(settings.nodeVanishedMs, settings.seenIntervalMs * 2.5);
    const invokers = await readLiveInvokers(db.sql, silentMs);
    const turn = Math.floor(nowMs() / TURN_MS);
    const sharesOf = Map.groupBy(shares, (share) => share.functionName);
    const due = caps.flatMap((cap) =>
      dueShares(cap, sharesOf.get(cap.functionName) ?? [], invokers, {
        turn,
        renewBelowMs: (settings.shareLeaseMs * 2) / 3,
      }),
    );
    const capped = new Set(caps.map((cap) => cap.functionName));
    const live = new Set(invokers);
    const stale = shares.filter(
      (share) =>
        !capped.has(share.functionName) ||
        (!live.has(share.nodeId) && share.leaseUntilMs <= 0 && share.lapsingUntilMs <= 0),
    );
    if (due.length === 0 && stale.length === 0) return;
    await term.write(async (sql) => {
      await writeShares(sql, due, stale, settings.shareLeaseMs);
      await notifyFleet(sql, { kind: "shares" });
    });
  }
}

/** Shares of one function that are to be written: all of them when one changed or a lease is to be renewed. Times are relative to now. */
function dueShares(
  { functionName, callsMax }: FunctionCap,
  stored: readonly StoredShare[],
  invokers: readonly string[],
  when: { readonly turn: number; readonly renewBelowMs: number },
): StoredShare[] {
  const known = new Map(stored.map((share) => [share.nodeId, share]));
  const live = new Set(invokers);
  const leases: ConcurrencyLease[] = [
    ...stored.map((share) => ({ ...share, isLive: live.has(share.nodeId) })),
    ...invokers.filter((id) => !known.has(id)).map(newLease),
  ];
  const grants = divideConcurrency(callsMax, leases, 0, when.turn);
  const isDue = grants.some((grant) => {
    const before = known.get(grant.nodeId);
    if (before === undefined || before.callsMax !== grant.callsMax) return true;
    return before.leaseUntilMs < when.renewBelowMs;
  });
  if (!isDue) return [];
  return grants.map((grant) => ({
    ...(known.get(grant.nodeId) ?? newLease(grant.nodeId)),
    ...grant,
    functionName,
  }));
}

function newLease(nodeId: string): ConcurrencyLease {
  return {
    nodeId,
    isLive: true,
    callsMax: 0,
    leaseUntilMs: 0,
    lapsingCallsMax: 0,
    lapsingUntilMs: 0,
    inFlight: 0,
    waiting: 0,
  };
}
