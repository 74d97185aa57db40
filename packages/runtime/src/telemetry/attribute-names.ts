/** Every attribute of a metric, and what it says. Values come from a bounded set: nothing of a record, a request or a client. */
export const ATTRIBUTES = {
  mapping: "UUID of the mapping",
  topic: "Kafka topic",
  partition: "partition number",
  function: "name of the function in the registry",
  outcome: "how it ended",
  state: "state that is counted",
  kind: "what is counted",
  reason: "cause, a word of a fixed list",
  peer: "address or role of the other side",
} as const;

/** Every attribute of the span of a batch: its name and what it says. `messaging.*` are OpenTelemetry's own. */
export const SPAN_ATTRIBUTES = {
  system: { name: "messaging.system.name", meaning: "`kafka`" },
  operation: { name: "messaging.operation.type", meaning: "`process`" },
  destination: { name: "messaging.destination.name", meaning: "Kafka topic" },
  recordCount: { name: "messaging.batch.message_count", meaning: "records of the batch" },
  requestId: {
    name: "penstock.request.id",
    meaning: "identity of the batch, the same at each attempt",
  },
  attempt: { name: "penstock.attempt", meaning: "number of the attempt, from 1" },
  outcome: { name: "penstock.outcome", meaning: "how the call ended" },
} as const;

export type AttributeName = keyof typeof ATTRIBUTES;

/** Values of the attributes of one series. */
export type AttributeValues = Readonly<Partial<Record<AttributeName, string | number>>>;
