import { flag, text } from "../kinds/setting-kinds.ts";

/** How pollers read Kafka (docs/operating/brokers.md says what each broker needs). */
export const KAFKA_SETTINGS = {
  kafkaDriver: text({
    name: "PENSTOCK_KAFKA_DRIVER",
    default: "native",
    oneOf: ["native", "kafkajs"],
    description:
      "What speaks to the brokers: native (Kafka 0.11 and later), or kafkajs for older ones and as a fallback; what kafkajs can't do is in docs/operating/brokers.md.",
  }),
  kafkaGroupProtocol: text({
    name: "PENSTOCK_KAFKA_GROUP_PROTOCOL",
    default: "auto",
    oneOf: ["auto", "consumer", "classic"],
    description:
      "Protocol of consumer groups: consumer (KIP-848, Kafka 4.0 and later), classic, or auto: consumer where the broker offers it and the group takes it, else classic.",
  }),
  kafkaStaticMembership: flag({
    name: "PENSTOCK_KAFKA_STATIC_MEMBERSHIP",
    default: false,
    description:
      "Members keep their partitions over a restart of the poller that is shorter than the session (group.instance.id). Needs a PENSTOCK_NODE_ID that the restarted poller has again.",
  }),
  kafkaRack: text({
    name: "PENSTOCK_KAFKA_RACK",
    default: "",
    description:
      "Rack or availability zone of this poller (client.rack): records are read from a replica there when the brokers offer one (KIP-392). Empty = from leaders.",
  }),
};
