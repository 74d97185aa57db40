/**
 * How often what is known of a problem may change where it is stored and told. A first change passes at once; each further one that comes back to what was
 * there before waits longer, so that what comes and goes every second costs a few rows a minute and is still said within 20 s. Mending one
 * problem after the other goes forward, and never waits for more than a second.
 */
export interface Flapping {
  /** That came back to what was there before. */
  readonly returns: number;
  readonly changedAtMs: number;
  /** Codes that were shown, null for none. */
  readonly shown: ReadonlySet<string | null>;
}

export const STEADY: Flapping = {
  returns: 0,
  changedAtMs: Number.NEGATIVE_INFINITY,
  shown: new Set(),
};

/** A problem is said within 30 s: less than that. */
export const RAISE_WAIT_MAX_MS = 20_000;
/** What keeps coming back is healed later than it is raised. */
export const HEAL_WAIT_MAX_MS = 120_000;
const STEADY_AFTER_MS = 180_000;
const WAIT_MIN_MS = 1_000;

/** Whether a change may pass now. `isHealed`: the problem would be gone. */
export function mayChange(flapping: Flapping, nowMs: number, isHealed: boolean): boolean {
  const { returns, changedAtMs } = calmed(flapping, nowMs);
  const waitMaxMs = isHealed ? HEAL_WAIT_MAX_MS : RAISE_WAIT_MAX_MS;
  return nowMs - changedAtMs >= Math.min(waitMaxMs, WAIT_MIN_MS * 2 ** returns);
}

/** After a change that passed, to the problem with this code; null = healed. Codes are those of one table, so that what is kept is bounded by it. */
export function afterChange(flapping: Flapping, nowMs: number, code: string | null): Flapping {
  const { returns, shown } = calmed(flapping, nowMs);
  return {
    returns: shown.has(code) ? returns + 1 : returns,
    changedAtMs: nowMs,
    shown: new Set(shown).add(code),
  };
}

function calmed(flapping: Flapping, nowMs: number): Flapping {
  return nowMs - flapping.changedAtMs >= STEADY_AFTER_MS ? STEADY : flapping;
}
