import type { PenstockError } from "@penstock/core";
import { toKafkaError } from "../cluster/kafka-error.ts";

/** Why the coordinator could not be asked, in the form of its refusals. */
export interface NoAnswer {
  readonly failure: "refused" | "transient";
  readonly problem: PenstockError;
  readonly isElsewhere: true;
  readonly isOtherProtocol: boolean;
}

export function noAnswer(error: unknown, groupId: string): NoAnswer {
  const problem = toKafkaError(error, `consumer group "${groupId}"`);
  return {
    failure: problem.row.retry === "operator" ? "refused" : "transient",
    problem,
    isElsewhere: true,
    isOtherProtocol: problem.code === "kafkaUnsupported",
  };
}
