import { row } from "../rows/broker-row.ts";
import { describeCluster } from "./describe-cluster.ts";

describeCluster("2.8", [row("2.8", "native", "classic")]);
