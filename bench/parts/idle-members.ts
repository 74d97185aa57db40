/**
 * What idle event pollers cost: many members, each of a group of its own, on one topic to which nobody writes.
 *
 *   node bench/parts/idle-members.ts [members] [partitions]
 *
 * Against a broker with Kafka's default session (45 s) and heartbeat (5 s). "joined" holds its partitions and fetches nothing
 * (membership alone); "fetching" has every partition in its fetch session. CPU is this process's, per second of wall time.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Assignment, RecordSource } from "@penstock/core";
import { createAdmin, createRecordSourceDriver } from "@penstock/kafka";
import { startKafka } from "@penstock/local";

const MEMBERS = Number(process.argv[2] ?? 200);
const PARTITIONS = Number(process.argv[3] ?? 6);
const TOPIC = "idle";
const SETTLE_MS = 15_000;
const MEASURE_MS = 20_000;

const nothing = () => {};
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const clock = { nowMs: () => performance.now(), wallMs: () => Date.now() };

async function measure(name: string): Promise<void> {
  await delay(SETTLE_MS);
  const before = process.cpuUsage();
  const startedAtMs = performance.now();
  await delay(MEASURE_MS);
  const { user, system } = process.cpuUsage(before);
  const share = (user + system) / 1_000 / (performance.now() - startedAtMs);
  const rss = process.memoryUsage().rss / 2 ** 20;
  process.stdout.write(
    `${name.padEnd(10)} ${(share * 100).toFixed(2)} % of a core, ${rss.toFixed(0)} MB\n`,
  );
}

const dataDir = mkdtempSync(join(tmpdir(), "penstock-idle-"));
const kafka = await startKafka({
  dataDir,
  sessionTimeoutMs: 45_000,
  heartbeatIntervalMs: 5_000,
  heapMb: 512,
});
const bootstrapServers = [kafka.bootstrapServers];
const admin = createAdmin({ bootstrapServers });
await admin.createTopic(TOPIC, { partitions: PARTITIONS });
await measure("none");

const driver = createRecordSourceDriver({ clock, log, clientId: "idle-bench" });
const sources: RecordSource[] = [];
const held: { source: RecordSource; assignment: Assignment }[] = [];
const allHeld = Promise.withResolvers<void>();
for (let index = 0; index < MEMBERS; index++) {
  const source: RecordSource = driver.open(
    {
      bootstrapServers,
      topic: TOPIC,
      groupId: `idle-${index}`,
      drainLimitMs: 5_000,
      fetchBytesMax: 1 << 20,
      fetchPartitionBytesMax: 1 << 20,
      inflatedBytesMax: 8 << 20,
      countMemory: nothing,
    },
    {
      adopted: (assignment) => {
        held.push({ source, assignment });
        if (held.length === MEMBERS * PARTITIONS) allHeld.resolve();
      },
      records: nothing,
      logEnds: nothing,
      responseEnd: nothing,
      revoking: (assignment) => source.release(assignment),
      lost: nothing,
      outOfRange: nothing,
      undecodable: nothing,
      problem: nothing,
      membership: nothing,
    },
  );
  sources.push(source);
}
const startedAtMs = performance.now();
await allHeld.promise;
process.stdout.write(
  `${MEMBERS} members hold ${PARTITIONS} partitions each after ${Math.round(performance.now() - startedAtMs)} ms\n`,
);
await measure("joined");
for (const { source, assignment } of held) source.fetch(assignment, 0n);
await measure("fetching");

await Promise.all(sources.map((source) => source.close()));
await driver.close();
await admin.close();
await kafka.stop();
rmSync(dataDir, { recursive: true, force: true });
