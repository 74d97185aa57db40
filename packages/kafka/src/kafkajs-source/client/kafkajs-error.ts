/** What kafkajs throws, as PenstockErrors. Its errors hold text; what decides here are their names, the codes of Kafka, and what our sockets told. */
import { InvariantError, PenstockError } from "@penstock/core";
import { kafkaRefusal, toKafkaError } from "../../cluster/kafka-error.ts";

const DEPTH_MAX = 8;

/** Kafka's error code that a request of kafkajs was refused with; null when it failed in another way. */
export function refusalCode(error: unknown): number | null {
  for (const { type, code } of chain(error))
    if (typeof type === "string" && typeof code === "number") return code;
  return null;
}

/** `reason`: why the last connection to a broker (`host:port`) failed, as its socket told it. */
export function problemOf(
  error: unknown,
  subject: string,
  reason: (broker: string) => PenstockError | undefined,
): PenstockError {
  if (error instanceof InvariantError) throw error;
  const links = chain(error);
  for (const link of links) if (link instanceof PenstockError) return link;
  const code = refusalCode(error);
  if (code !== null) return kafkaRefusal(code, subject);
  for (const { name, broker } of links) {
    const told = typeof broker === "string" ? reason(broker) : undefined;
    if (told) return told;
    if (name === "KafkaJSServerDoesNotSupportApiKey")
      return new PenstockError(
        "kafkaUnsupported",
        `The Kafka broker lacks a request that Penstock needs; consumer groups of the brokers came with Kafka 0.10.1 (${subject}).`,
        { cause: error },
      );
  }
  return toKafkaError(error, subject);
}

interface Link {
  readonly name?: unknown;
  readonly type?: unknown;
  readonly code?: unknown;
  readonly broker?: unknown;
  readonly cause?: unknown;
}

function chain(error: unknown): Link[] {
  const links: Link[] = [];
  let link = error;
  while (typeof link === "object" && link !== null && links.length < DEPTH_MAX) {
    links.push(link);
    link = (link as Link).cause;
  }
  return links;
}
