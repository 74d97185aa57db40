/**
 * How the calls that a function allows at once are divided among invokers, as leases.
 *
 * What is always true: the calls that invokers may still make, counting every lease that has not run out, former larger
 * ones of the same invoker and those of vanished ones too, sum to no more than the cap (or fall towards it, after the cap was lowered).
 * A share is lowered at once; what that frees is granted when the larger lease has lapsed and its calls have ended.
 *
 *     A: 10 ──lowered──▶ 5, lapsing 10 until t      B: 0 ───────── t ─▶ 5
 *
 * Pure; all times on one clock.
 */
export interface ConcurrencyLease {
  readonly nodeId: string;
  /** False: it is gone; its leases run out and are not renewed. */
  readonly isLive: boolean;
  readonly callsMax: number;
  /** Until when it may use `callsMax`. */
  readonly leaseUntilMs: number;
  /** A former, larger share, and until when it may still be used. */
  readonly lapsingCallsMax: number;
  readonly lapsingUntilMs: number;
  /** As the invoker reported last. */
  readonly inFlight: number;
  readonly waiting: number;
}

/** The new share of a live invoker. Its lease is the granter's to set, never shorter than the one it replaces. */
export interface ConcurrencyGrant {
  readonly nodeId: string;
  readonly callsMax: number;
  readonly lapsingCallsMax: number;
  readonly lapsingUntilMs: number;
}

/** The calls that the invoker may have in flight now. */
export function outstandingCalls(lease: ConcurrencyLease, nowMs: number): number {
  return Math.max(
    validShare(lease, nowMs),
    nowMs < lease.lapsingUntilMs ? lease.lapsingCallsMax : 0,
    lease.isLive ? lease.inFlight : 0,
  );
}

/** `turn` changes now and then: when there are more invokers with calls than calls allowed, it decides whose turn it is. */
export function divideConcurrency(
  callsMax: number,
  leases: readonly ConcurrencyLease[],
  nowMs: number,
  turn: number,
): readonly ConcurrencyGrant[] {
  const live = leases.filter((lease) => lease.isLive).sort(byNodeId);
  const targets = targetShares(callsMax, live, nowMs, turn);
  const lowered = live.map((lease, at) => lower(lease, targets[at] ?? 0, nowMs));
  let free = callsMax;
  for (const lease of leases) if (!lease.isLive) free -= outstandingCalls(lease, nowMs);
  for (const one of lowered) free -= one.outstanding;
  return lowered.map(({ lease, callsMax: kept, outstanding, lapsing }) => {
    const target = targets[live.indexOf(lease)] ?? 0;
    const more = Math.max(0, Math.min(target - outstanding, free));
    free -= more;
    const granted = target > kept ? Math.max(kept, Math.min(target, outstanding + more)) : kept;
    return { nodeId: lease.nodeId, callsMax: granted, ...lapsing };
  });
}

function lower(lease: ConcurrencyLease, target: number, nowMs: number) {
  const current = validShare(lease, nowMs);
  const kept = Math.min(current, target);
  const former = nowMs < lease.lapsingUntilMs ? lease.lapsingCallsMax : 0;
  const isLowered = kept < current;
  const lapsing = {
    lapsingCallsMax: isLowered ? Math.max(current, former) : former,
    lapsingUntilMs: isLowered
      ? Math.max(lease.leaseUntilMs, former > 0 ? lease.lapsingUntilMs : 0)
      : lease.lapsingUntilMs,
  };
  const outstanding = Math.max(kept, lapsing.lapsingCallsMax, lease.inFlight);
  return { lease, callsMax: kept, outstanding, lapsing };
}

/**
 * Who should have how much, by use. Lowering a share costs a lease's time of unused calls, so shares stay as they are unless a new invoker
 * has none, or one waits while another has room or much more than its part.
 */
function targetShares(
  callsMax: number,
  live: readonly ConcurrencyLease[],
  nowMs: number,
  turn: number,
): readonly number[] {
  if (live.length === 0) return [];
  if (callsMax < live.length) return takeTurns(callsMax, live, turn);
  const current = live.map((lease) => validShare(lease, nowMs));
  const byUse = divideByUse(callsMax, live);
  const spare = callsMax - sum(current);
  const hasNewcomer = current.includes(0);
  if (hasNewcomer || spare < 0 || isUnfair(callsMax, live, current, byUse)) return byUse;
  const more = divideByWeight(spare, weightsOf(live));
  return current.map((share, at) => share + (more[at] ?? 0));
}

function isUnfair(
  callsMax: number,
  live: readonly ConcurrencyLease[],
  current: readonly number[],
  byUse: readonly number[],
): boolean {
  const muchMore = Math.max(1, Math.ceil(callsMax / 4));
  const hasRoom = live.map((lease, at) => (current[at] ?? 0) > lease.inFlight + lease.waiting);
  return live.some((lease, at) => {
    const missing = (byUse[at] ?? 0) - (current[at] ?? 0);
    if (lease.waiting === 0 || missing <= 0) return false;
    return missing >= muchMore || hasRoom.some((has, other) => has && other !== at);
  });
}

/** One for each, the rest by use. */
function divideByUse(callsMax: number, live: readonly ConcurrencyLease[]): readonly number[] {
  return divideByWeight(callsMax - live.length, weightsOf(live)).map((share) => share + 1);
}

function weightsOf(live: readonly ConcurrencyLease[]): readonly number[] {
  return live.map((lease) => 1 + lease.inFlight + lease.waiting);
}

/** Largest remainders; ties go to the first. */
function divideByWeight(total: number, weights: readonly number[]): readonly number[] {
  const all = sum(weights);
  const exact = weights.map((weight) => (total * weight) / all);
  const shares = exact.map(Math.floor);
  const order = exact
    .map((value, at) => ({ at, rest: value - Math.floor(value) }))
    .sort((a, b) => b.rest - a.rest || a.at - b.at);
  let left = total - sum(shares);
  for (const { at } of order) {
    if (left <= 0) break;
    shares[at] = (shares[at] ?? 0) + 1;
    left--;
  }
  return shares;
}

/** Fewer calls than invokers: one each for those that have calls, in turns when they are too many. */
function takeTurns(
  callsMax: number,
  live: readonly ConcurrencyLease[],
  turn: number,
): readonly number[] {
  const start = (turn * callsMax) % live.length;
  const order = live
    .map((lease, at) => ({
      at,
      isIdle: lease.inFlight + lease.waiting === 0,
      rank: (at - start + live.length) % live.length,
    }))
    .sort((a, b) => Number(a.isIdle) - Number(b.isIdle) || a.rank - b.rank);
  const shares = live.map(() => 0);
  for (const { at } of order.slice(0, callsMax)) shares[at] = 1;
  return shares;
}

function validShare(lease: ConcurrencyLease, nowMs: number): number {
  return nowMs < lease.leaseUntilMs ? lease.callsMax : 0;
}

function byNodeId(a: ConcurrencyLease, b: ConcurrencyLease): number {
  return a.nodeId < b.nodeId ? -1 : a.nodeId > b.nodeId ? 1 : 0;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
