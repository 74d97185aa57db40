import { SeededRandom } from "./seeded-random.ts";

/** One thing that happens to the running world. */
export interface ChaosEvent {
  /** From the start, ms. */
  readonly atMs: number;
  readonly kind: ChaosKind;
  /** For a pause. */
  readonly durationMs: number;
  /** Chooses the victim among those that run then. */
  readonly pick: number;
}

export const CHAOS_KINDS = [
  "killPoller",
  "pausePoller",
  "addPoller",
  "killInvoker",
  "pauseInvoker",
  "restartBroker",
] as const;

export type ChaosKind = (typeof CHAOS_KINDS)[number];

export interface ChaosPlanOptions {
  readonly seed: number;
  readonly durationMs: number;
  /** Between two events, at most; shorter when the run would not see every kind otherwise. */
  readonly intervalMs: number;
  readonly pauseMs: number;
  readonly brokerRestarts: number;
}

/** A seeded plan in which every kind occurs: first each once, in a random order, then at random. Pure. */
export function planChaos(options: ChaosPlanOptions): ChaosEvent[] {
  const random = new SeededRandom(options.seed);
  const others = CHAOS_KINDS.filter((kind) => kind !== "restartBroker");
  const queue: ChaosKind[] = shuffle([...others], random);
  const events: ChaosEvent[] = [];
  for (let i = 1; i <= options.brokerRestarts; i++) {
    const atMs = Math.round((options.durationMs * i) / (options.brokerRestarts + 1));
    events.push({ atMs, kind: "restartBroker", durationMs: 0, pick: 0 });
  }
  const stepMs = Math.min(options.intervalMs, options.durationMs / (others.length + 1));
  for (let step = 0; (step + 1) * stepMs <= options.durationMs; step++) {
    const kind = queue.shift() ?? (others[random.below(others.length)] as ChaosKind);
    const atMs = Math.round((step + 0.8 * random.next()) * stepMs);
    events.push({ atMs, kind, durationMs: options.pauseMs, pick: random.next() });
  }
  return events.sort((a, b) => a.atMs - b.atMs);
}

function shuffle<T>(items: T[], random: SeededRandom): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [items[i], items[j]] = [items[j] as T, items[i] as T];
  }
  return items;
}
