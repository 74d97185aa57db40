/**
 * Fetching and decoding from a real broker, without what comes after: records/s and CPU per record of this process.
 *
 *   node bench/parts/fetch.ts [bootstrap servers]      starts a broker of its own when none is given
 *
 * 6 partitions, random text, no keys, batches of 16 KiB; the clock runs from the first fetch to the last record.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAdmin } from "@penstock/kafka";
import { startKafka } from "@penstock/local";
import { Producer } from "@platformatic/kafka";
import { KafkaCluster } from "../../packages/kafka/src/cluster/kafka-cluster.ts";
import { Fetcher } from "../../packages/kafka/src/fetch/fetcher.ts";

const PARTITIONS = 6;
const ROUNDS = 3;
const silent = () => {};
const LOG = { debug: silent, info: silent, warn: silent, error: silent };
const CLOCK = { nowMs: () => performance.now(), wallMs: () => Date.now() };

async function fill(servers: string, topic: string, records: number, bytes: number): Promise<void> {
  const producer = new Producer({ clientId: "bench", bootstrapBrokers: [servers] });
  const perSend = Math.floor((16 * 1024) / (bytes + 10));
  const text = randomBytes(1 << 20).toString("base64");
  for (let sent = 0; sent < records; ) {
    const sends: Promise<unknown>[] = [];
    for (let partition = 0; partition < PARTITIONS && sent < records; partition++) {
      const count = Math.min(perSend, records - sent);
      const messages = Array.from({ length: count }, (_, i) => {
        const at = ((sent + i) * 37) % (text.length - bytes);
        return { topic, partition, value: Buffer.from(text.slice(at, at + bytes)) };
      });
      sent += count;
      sends.push(producer.send({ messages }));
    }
    await Promise.all(sends);
  }
  await producer.close();
}

/** Reads the topic once. */
async function read(servers: string, topic: string, topicId: string, records: number) {
  const cluster = new KafkaCluster({
    bootstrapServers: [servers],
    clientId: "bench",
    clock: CLOCK,
    log: LOG,
  });
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  let left = records;
  const { promise, resolve } = Promise.withResolvers<void>();
  const fetcher = new Fetcher(
    cluster,
    {
      topic,
      fetchBytesMax: 8 << 20,
      fetchPartitionBytesMax: 1 << 20,
      inflatedBytesMax: 64 << 20,
      countMemory: silent,
    },
    {
      records: (_key, batches) => {
        for (const batch of batches) {
          left -= batch.count;
          batch.memory.release();
        }
        if (left <= 0) resolve();
      },
      logEnds: silent,
      responseEnd: silent,
      outOfRange: silent,
      undecodable: silent,
      problem: silent,
    },
  );
  for (let partition = 0; partition < PARTITIONS; partition++)
    fetcher.set({ topicId, partition }, 0n);
  await promise;
  const elapsedMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(cpu);
  await fetcher.close();
  cluster.close();
  return { perSecond: records / (elapsedMs / 1000), cpuMicros: (user + system) / records };
}

const folder = mkdtempSync(join(tmpdir(), "penstock-bench-"));
const given = process.argv[2];
const kafka = given ? null : await startKafka({ dataDir: folder, heapMb: 1024 });
const servers = given ?? kafka?.bootstrapServers ?? "";
const admin = createAdmin({ bootstrapServers: [servers] });
const lines = ["value    records  records/s  CPU µs/record"];
for (const [bytes, records] of [
  [100, 2_000_000],
  [1024, 400_000],
] as const) {
  const topic = `bench-fetch-${bytes}-${process.pid}`;
  await admin.createTopic(topic, { partitions: PARTITIONS });
  await fill(servers, topic, records, bytes);
  const { topicId } = await admin.describeTopic(topic);
  const rounds: Awaited<ReturnType<typeof read>>[] = [];
  for (let round = 0; round < ROUNDS; round++)
    rounds.push(await read(servers, topic, topicId, records));
  rounds.sort((a, b) => a.perSecond - b.perSecond);
  const { perSecond, cpuMicros } = rounds[ROUNDS >> 1] ?? { perSecond: 0, cpuMicros: 0 };
  lines.push(
    `${String(bytes).padStart(5)} ${String(records).padStart(10)} ${perSecond.toFixed(0).padStart(10)} ${cpuMicros.toFixed(2).padStart(14)}`,
  );
  await admin.deleteTopic(topic);
}
process.stdout.write(
  `${lines.join("\n")}\nRSS ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB\n`,
);
await admin.close();
await kafka?.stop();
rmSync(folder, { recursive: true, force: true });
