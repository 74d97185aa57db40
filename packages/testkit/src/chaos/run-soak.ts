import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type KafkaVersion,
  SHORT_CLASSIC_SESSIONS,
  startKafka,
  startPostgres,
} from "@penstock/local";
import { countDuplicates, duplicateBound } from "../checkers/duplicates-bounded.ts";
import { World } from "../world/world.ts";
import { planChaos } from "./chaos-plan.ts";
import { type ChaosMarks, runChaos } from "./chaos-run.ts";

export interface SoakOptions {
  readonly seed: number;
  readonly durationMs: number;
  readonly records: number;
  readonly partitions: number;
  readonly intervalMs: number;
  readonly pauseMs: number;
  readonly brokerRestarts: number;
  /** Default: the newest. */
  readonly version?: KafkaVersion | undefined;
  /** Of the pollers. Default: theirs. */
  readonly protocol?: "consumer" | "classic" | undefined;
  readonly driver?: "native" | "kafkajs" | undefined;
  /** How long the lag may take to become 0 after the last event. */
  readonly drainMs: number;
  readonly say: (text: string) => void;
}

export interface SoakResult {
  readonly marks: ChaosMarks;
  readonly sent: number;
  readonly delivered: number;
  readonly duplicates: number;
  readonly duplicateBound: number;
}

/**
 * The soak: two pollers and two invokers that are killed, stopped and added at random, a broker that is restarted, records all the while, on a Kafka and a
 * Postgres of its own. Throws when a promise is broken; the same seed makes the same plan.
 */
export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const folder = mkdtempSync(join(tmpdir(), "penstock-soak-"));
  chmodSync(folder, 0o711);
  const { version, protocol, driver } = options;
  const kafka = await startKafka({
    version,
    dataDir: join(folder, "kafka"),
    heapMb: 256,
    // Pauses outlast sessions under both protocols.
    extraProperties: SHORT_CLASSIC_SESSIONS,
  });
  const postgres = await startPostgres({ dataDir: join(folder, "postgres"), fsync: false });
  let world: World | null = null;
  try {
    world = await World.start({
      kafka: kafka.bootstrapServers,
      databaseUrl: await postgres.createDatabase("soak"),
      partitions: options.partitions,
      pollers: 2,
      invokers: 2,
      env: {
        ...(protocol !== undefined && { PENSTOCK_KAFKA_GROUP_PROTOCOL: protocol }),
        ...(driver !== undefined && { PENSTOCK_KAFKA_DRIVER: driver }),
      },
      mapping: { minimumPollers: 4, batchSize: 100, windowMs: 50 },
    });
    const plan = planChaos(options);
    const marks = await runChaos({ ...options, world, kafka, plan });
    options.say("the last event is over; waiting for the lag to be 0");
    await world.drain(options.drainMs);
    world.check();
    const events = world.events();
    const result = {
      marks,
      sent: [...world.writer.sent(world.topic).values()].reduce(
        (sum, each) => sum + each.length,
        0,
      ),
      delivered: world.function.deliveredCount(),
      duplicates: countDuplicates(world.function.deliveries),
      duplicateBound: duplicateBound(events),
    };
    await world.stop();
    world = null;
    return result;
  } finally {
    await world?.stop({ isForced: true });
    await Promise.all([kafka.stop(), postgres.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
}
