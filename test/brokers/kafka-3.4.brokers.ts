import { describeVersion } from "./describe-record-source.ts";

describeVersion("3.4");
