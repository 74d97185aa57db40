import { describeVersion } from "./describe-record-source.ts";

describeVersion("4.3", "native");
