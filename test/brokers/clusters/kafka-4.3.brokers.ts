import { row } from "../rows/broker-row.ts";
import { describeCluster } from "./describe-cluster.ts";

describeCluster("4.3", [
  row("4.3", "native", "consumer"),
  row("4.3", "native", "classic"),
  row("4.3", "kafkajs", "classic"),
]);
