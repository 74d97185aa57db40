/**
 * The best loop that a user would write: kafkajs `eachBatch` over all partitions at once, batches of the given size,
 * `JSON.stringify` of the Lambda event, an undici pool, offsets resolved after each call and committed by kafkajs behind each fetched batch.
 *
 * A program of its own, so that its processor time and memory are its own. It says "ready" when connected and starts to
 * consume when a line arrives.
 */
import { once } from "node:events";
import { type EachBatchPayload, Kafka, type KafkaMessage, logLevel } from "kafkajs";
import { Pool } from "undici";

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

const brokers = setting("BENCH_BROKERS");
const topic = setting("BENCH_TOPIC");
const batchSize = Number(setting("BENCH_BATCH_SIZE"));
const partitions = Number(setting("BENCH_PARTITIONS"));
const target = new URL(setting("BENCH_FUNCTION_URL"));

const pool = new Pool(target.origin, { connections: partitions, pipelining: 1 });
const kafka = new Kafka({ clientId: "loop", brokers: [brokers], logLevel: logLevel.NOTHING });
const consumer = kafka.consumer({
  groupId: setting("BENCH_GROUP"),
  allowAutoTopicCreation: false,
  maxWaitTimeInMs: 100,
});

function recordOf(partition: number, message: KafkaMessage): object {
  const headers: object[] = [];
  for (const [name, value] of Object.entries(message.headers ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) {
      headers.push({ [name]: [...new Int8Array(Buffer.from(one ?? ""))] });
    }
  }
  return {
    topic,
    partition,
    offset: Number(message.offset),
    timestamp: Number(message.timestamp),
    timestampType: "CREATE_TIME",
    key: message.key?.toString("base64"),
    value: message.value?.toString("base64"),
    headers,
  };
}

async function deliver(partition: number, messages: readonly KafkaMessage[]): Promise<void> {
  const body = JSON.stringify({
    eventSource: "SelfManagedKafka",
    bootstrapServers: brokers,
    records: { [`${topic}-${partition}`]: messages.map((message) => recordOf(partition, message)) },
  });
  const response = await pool.request({
    method: "POST",
    path: target.pathname,
    headers: { "content-type": "application/json" },
    body,
  });
  await response.body.dump();
  if (response.statusCode !== 200) throw new Error(`the function answered ${response.statusCode}`);
}

async function eachBatch(payload: EachBatchPayload): Promise<void> {
  const { batch, resolveOffset, heartbeat, isRunning, isStale } = payload;
  for (let from = 0; from < batch.messages.length; from += batchSize) {
    if (!isRunning() || isStale()) return;
    const messages = batch.messages.slice(from, from + batchSize);
    await deliver(batch.partition, messages);
    resolveOffset((messages.at(-1) as KafkaMessage).offset);
    await heartbeat();
  }
}

await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
process.stdout.write('{"msg":"ready"}\n');
process.on("SIGTERM", () => {
  void consumer.disconnect().then(() => process.exit(0));
});
await once(process.stdin, "data");
await consumer.run({
  eachBatchAutoResolve: false,
  partitionsConsumedConcurrently: partitions,
  eachBatch,
});
