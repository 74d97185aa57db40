/**
 * Whether the broker can still believe in this member: the stop-the-world guard.
 *
 * A heartbeat that was sent at t and answered keeps the member until t + session at least, because the broker's timer starts when it
 * arrives. Before that moment (less a margin) a call may start. A pause of the process makes everything doubtful until a heartbeat that was
 * sent after it has been answered: what the clock says right after a pause is right, but what was decided before it may be old.
 *
 * The monotonic clock doesn't run while a virtual machine is suspended; the wall clock does, so a jump of it forward counts as a
 * pause too. (A clock that an operator sets forward costs one heartbeat.)
 */
const PAUSE_MS = 2_000;
const MARGIN_MS_MAX = 2_000;

export class SessionGuard {
  #sessionMs: number;
  #provedAtMs = Number.NEGATIVE_INFINITY;
  #doubtAtMs = Number.NEGATIVE_INFINITY;
  #wallAheadMs: number | null = null;
  /** When the next tick is due; far behind it means that the process stood still. */
  nextTickAtMs = Number.POSITIVE_INFINITY;

  constructor(sessionMs: number) {
    this.#sessionMs = sessionMs;
  }

  set sessionMs(sessionMs: number) {
    this.#sessionMs = sessionMs;
  }

  get sessionMs(): number {
    return this.#sessionMs;
  }

  /** A heartbeat sent at `sentAtMs` was answered well. */
  proved(sentAtMs: number): void {
    if (sentAtMs > this.#provedAtMs) this.#provedAtMs = sentAtMs;
  }

  /** A new membership starts: nothing is proved. */
  reset(): void {
    this.#provedAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Looks for a pause. True when one has just been noticed. */
  observe(nowMs: number, wallMs: number): boolean {
    const aheadMs = wallMs - nowMs;
    const jumpMs = this.#wallAheadMs === null ? 0 : aheadMs - this.#wallAheadMs;
    this.#wallAheadMs = aheadMs;
    const isPause = nowMs > this.nextTickAtMs + PAUSE_MS || jumpMs > PAUSE_MS;
    if (!isPause) return false;
    const isNew = this.#doubtAtMs <= this.#provedAtMs;
    this.#doubtAtMs = nowMs;
    return isNew;
  }

  /** False after a pause until a heartbeat sent later was answered. */
  get isCertain(): boolean {
    return this.#provedAtMs >= this.#doubtAtMs;
  }

  /** Whether the session may have run out at the broker. */
  hasRunOut(nowMs: number): boolean {
    return nowMs - this.#provedAtMs > this.#sessionMs;
  }

  mayDispatch(nowMs: number): boolean {
    const marginMs = Math.min(MARGIN_MS_MAX, this.#sessionMs / 4);
    return this.isCertain && nowMs - this.#provedAtMs <= this.#sessionMs - marginMs;
  }
}
