import { setTimeout as delay } from "node:timers/promises";
import type { LocalKafka } from "@penstock/local";
import type { ServiceProcess } from "../world/service-process.ts";
import type { World } from "../world/world.ts";
import { CHAOS_KINDS, type ChaosEvent, type ChaosKind } from "./chaos-plan.ts";

export interface ChaosRunOptions {
  readonly world: World;
  readonly kafka: LocalKafka;
  readonly plan: readonly ChaosEvent[];
  readonly durationMs: number;
  readonly records: number;
  readonly partitions: number;
  /** Told of each event, for the run's log. */
  readonly say: (text: string) => void;
}

/** How often each kind really happened: a rare event that did not happen proves nothing. */
export type ChaosMarks = Readonly<Record<ChaosKind, number>>;

const PROCESSES_MIN = 1;
const PROCESSES_MAX = 4;

/**
 * Carries out a plan while records are produced at a steady rate. At the end everything that was paused runs again, and two of
 * each service do.
 */
export async function runChaos(options: ChaosRunOptions): Promise<ChaosMarks> {
  const marks = Object.fromEntries(CHAOS_KINDS.map((kind) => [kind, 0])) as Record<
    ChaosKind,
    number
  >;
  const started = performance.now();
  const paused = new Map<ServiceProcess, Promise<void>>();
  const ends: Promise<unknown>[] = [produce(options, started)];
  for (const event of options.plan) {
    await delay(Math.max(0, event.atMs - (performance.now() - started)));
    if (await carryOut(event, options, paused)) {
      marks[event.kind]++;
      options.say(`${(event.atMs / 1000).toFixed(1)} s ${event.kind}`);
    }
  }
  await Promise.all(paused.values());
  await Promise.all(ends);
  return marks;
}

/** False when it can't happen now. */
async function carryOut(
  event: ChaosEvent,
  { world, kafka }: ChaosRunOptions,
  paused: Map<ServiceProcess, Promise<void>>,
): Promise<boolean> {
  const alive = (all: readonly ServiceProcess[]) =>
    all.filter((each) => !each.hasEnded && !paused.has(each));
  const pollers = alive(world.pollers);
  const invokers = alive(world.invokers);
  const victim = (all: readonly ServiceProcess[]) =>
    all[Math.floor(event.pick * all.length)] as ServiceProcess;
  switch (event.kind) {
    case "restartBroker":
      await kafka.restart();
      return true;
    case "addPoller":
      if (pollers.length >= PROCESSES_MAX) return false;
      await world.addPoller();
      return true;
    case "killPoller":
      if (pollers.length === 0) return false;
      await victim(pollers).kill();
      await world.addPoller();
      return true;
    case "killInvoker":
      if (invokers.length === 0) return false;
      await victim(invokers).kill();
      await world.addInvoker();
      return true;
    case "pausePoller":
      if (pollers.length <= PROCESSES_MIN) return false;
      pause(victim(pollers), event.durationMs, paused);
      return true;
    case "pauseInvoker":
      if (invokers.length <= PROCESSES_MIN) return false;
      pause(victim(invokers), event.durationMs, paused);
      return true;
  }
}

function pause(
  service: ServiceProcess,
  durationMs: number,
  paused: Map<ServiceProcess, Promise<void>>,
): void {
  service.pause();
  const end = delay(durationMs).then(() => {
    service.resume();
    paused.delete(service);
  });
  paused.set(service, end);
}

async function produce(options: ChaosRunOptions, started: number): Promise<void> {
  const { world, records, partitions, durationMs } = options;
  const rounds = Math.max(1, Math.floor(durationMs / 250));
  let sent = 0;
  for (let round = 1; round <= rounds; round++) {
    const until = Math.round((records * round) / rounds);
    if (until > sent) await world.writer.sendKeyed(world.topic, until - sent, partitions);
    sent = until;
    await delay(Math.max(0, round * 250 - (performance.now() - started)));
  }
}
