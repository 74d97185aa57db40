import { describeVersion } from "./describe-record-source.ts";

describeVersion("1.1");
