import { row } from "../rows/broker-row.ts";
import { describeTakeover } from "./describe-takeover.ts";
import { JAVA_COOPERATIVE, JAVA_RANGE, KAFKAJS } from "./foreign-member.ts";

describeTakeover(
  "3.9",
  [row("3.9", "native", "classic"), row("3.9", "kafkajs", "classic")],
  [KAFKAJS, JAVA_COOPERATIVE, JAVA_RANGE],
);
