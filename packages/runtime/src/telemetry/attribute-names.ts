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

export type AttributeName = keyof typeof ATTRIBUTES;

/** Values of the attributes of one series. */
export type AttributeValues = Readonly<Partial<Record<AttributeName, string | number>>>;
