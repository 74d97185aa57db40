import { describeVersion } from "./describe-record-source.ts";

describeVersion("0.11");
