import { describeVersion } from "./describe-record-source.ts";

describeVersion("2.8");
