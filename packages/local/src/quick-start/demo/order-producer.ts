/**
 * Puts a few keyed orders a second on the topic, so that there is something to see. It survives a broker that
 * is away: what can't be sent is left out, since these orders matter to nobody.
 */
import { randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { PenstockError } from "@penstock/core";
import { createAdmin, createProducer, type KafkaProducer } from "@penstock/kafka";
import { PARTITIONS, TOPIC } from "./demo-flow.ts";

const ROUND_MS = 1_000;
const ORDERS_MAX = 6;
const CUSTOMERS = 40;

/** Makes the topic unless it is there. */
export async function ensureTopic(bootstrapServers: string): Promise<void> {
  const admin = createAdmin({ bootstrapServers: bootstrapServers.split(",") });
  try {
    await admin.createTopic(TOPIC, { partitions: PARTITIONS });
  } catch (cause) {
    if (!(cause instanceof PenstockError) || cause.code !== "conflict") throw cause;
  } finally {
    await admin.close();
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
  let producer: KafkaProducer | undefined;
  let isAway = false;
  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        producer ??= await createProducer({ bootstrapServers: bootstrapServers.split(",") });
        await producer.send(TOPIC, orders());
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
    await producer?.close();
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
