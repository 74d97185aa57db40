import { row } from "../rows/broker-row.ts";
import { describeTakeover } from "./describe-takeover.ts";
import { JAVA_CONSUMER, JAVA_COOPERATIVE, JAVA_RANGE, KAFKAJS } from "./foreign-member.ts";

describeTakeover(
  "4.3",
  [
    row("4.3", "native", "consumer"),
    row("4.3", "native", "classic"),
    row("4.3", "kafkajs", "classic"),
  ],
  [KAFKAJS, JAVA_COOPERATIVE, JAVA_RANGE, JAVA_CONSUMER],
);
