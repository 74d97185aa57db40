import { row } from "../rows/broker-row.ts";
import { describeCluster } from "./describe-cluster.ts";

describeCluster("3.9", [row("3.9", "native", "classic")]);
