/**
 * Puts a few keyed orders a second on the topic, so that there is something to see. It survives a broker that
 * is away: what can't be sent is left out, since these orders matter to nobody.
 */
import { randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Kafka, logLevel } from "kafkajs";
import { PARTITIONS, TOPIC } from "./demo-flow.ts";

const ROUND_MS = 1_000;
const ORDERS_MAX = 6;
const CUSTOMERS = 40;

function client(bootstrapServers: string): Kafka {
  return new Kafka({
    clientId: "penstock-quick-start",
    brokers: bootstrapServers.split(","),
    logLevel: logLevel.NOTHING,
    connectionTimeout: 3_000,
    requestTimeout: 10_000,
    retry: { retries: 3, initialRetryTime: 200, maxRetryTime: 2_000 },
  });
}

/** Makes the topic unless it is there. */
export async function ensureTopic(bootstrapServers: string): Promise<void> {
  const admin = client(bootstrapServers).admin();
  await admin.connect();
  try {
    await admin.createTopics({
      waitForLeaders: true,
      topics: [{ topic: TOPIC, numPartitions: PARTITIONS, replicationFactor: -1 }],
    });
  } finally {
    await admin.disconnect();
  }
}

export interface OrderProducer {
  stop(): Promise<void>;
}

export function startOrderProducer(
  bootstrapServers: string,
  say: (what: string) => void,
): OrderProducer {
  const stopping = new AbortController();
  const producer = client(bootstrapServers).producer();
  let isAway = false;
  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await producer.connect();
        await producer.send({ topic: TOPIC, messages: orders() });
        if (isAway) say("orders are sent again");
        isAway = false;
      } catch {
        if (!isAway && !stopping.signal.aborted) say("Kafka is away, no orders for the moment");
        isAway = true;
      }
      await delay(ROUND_MS, undefined, { signal: stopping.signal }).catch(() => {
        // Aborted: the loop ends.
      });
    }
    await producer.disconnect();
  }
  const running = run();
  return {
    stop() {
      stopping.abort();
      return running;
    },
  };
}

function orders(): { key: string; value: string }[] {
  return Array.from({ length: randomInt(1, ORDERS_MAX + 1) }, () => {
    const customer = `customer-${randomInt(CUSTOMERS)}`;
    const order = { customer, amount: randomInt(1, 50_000) / 100, placedAt: new Date() };
    return { key: customer, value: JSON.stringify(order) };
  });
}
