/**
 * How often what is known of a problem may change where it is stored and told. A first change passes at once; each further one within a minute waits
 * longer, so that what comes and goes every second costs a few rows a minute and is still said within 20 s.
 */
export interface Flapping {
  readonly changes: number;
  readonly changedAtMs: number;
}

export const STEADY: Flapping = { changes: 0, changedAtMs: Number.NEGATIVE_INFINITY };

/** A problem is said within 30 s: less than that. */
export const RAISE_WAIT_MAX_MS = 20_000;
/** What keeps coming back is healed later than it is raised. */
export const HEAL_WAIT_MAX_MS = 120_000;
const STEADY_AFTER_MS = 180_000;
const WAIT_MIN_MS = 1_000;

/** Whether a change may pass now. `isHealed`: the problem would be gone. */
export function mayChange(flapping: Flapping, nowMs: number, isHealed: boolean): boolean {
  const { changes, changedAtMs } = calmed(flapping, nowMs);
  if (changes === 0) return true;
  const waitMaxMs = isHealed ? HEAL_WAIT_MAX_MS : RAISE_WAIT_MAX_MS;
  return nowMs - changedAtMs >= Math.min(waitMaxMs, WAIT_MIN_MS * 2 ** (changes - 1));
}

/** After a change that passed. */
export function afterChange(flapping: Flapping, nowMs: number): Flapping {
  return { changes: calmed(flapping, nowMs).changes + 1, changedAtMs: nowMs };
}

function calmed(flapping: Flapping, nowMs: number): Flapping {
  return nowMs - flapping.changedAtMs >= STEADY_AFTER_MS ? STEADY : flapping;
}
