/** What is wrong with one direction of a connection. Everything is off unless named; all of it may be combined. */
export interface LinkFaults {
  /** Delay of each piece, ms; pieces stay in order. */
  readonly latencyMs?: number;
  /** Up to this much more delay, ms, drawn for each piece. */
  readonly jitterMs?: number;
  readonly bytesPerSecond?: number;
  /** The connection is reset when this many bytes of it have passed. */
  readonly cutAfterBytes?: number;
  /** Bytes are taken and never passed on; the connection stays open. */
  readonly isSilent?: boolean;
  /** Bytes of one write: 1 makes every read of the receiver a single byte. */
  readonly bytesPerWrite?: number;
  /** One bit of every so many bytes is flipped. */
  readonly flipEveryBytes?: number;
}

export const HEALTHY: LinkFaults = Object.freeze({});

/** When a piece of `bytes` that came at `nowMs` may leave, after one that leaves at `lastMs`. Pure; `random` is uniform in [0, 1). */
export function dueMs(
  faults: LinkFaults,
  bytes: number,
  nowMs: number,
  lastMs: number,
  random: number,
): number {
  const delay = (faults.latencyMs ?? 0) + (faults.jitterMs ?? 0) * random;
  const start = Math.max(lastMs, nowMs + delay);
  return faults.bytesPerSecond === undefined
    ? start
    : start + (bytes / faults.bytesPerSecond) * 1000;
}

/** A copy with a bit flipped in every `every`-th byte, counted over the connection; `passed` bytes went before. */
export function flipBits(piece: Buffer, every: number, passed: number): Buffer {
  const flipped = Buffer.from(piece);
  for (let at = every - 1 - (passed % every); at < flipped.length; at += every) {
    flipped[at] = (flipped[at] as number) ^ 1;
  }
  return flipped;
}
