import type { PenstockError } from "@penstock/core";
import { kafkaRefusal } from "../cluster/kafka-error.ts";

/** Error codes of a partition in a fetch response (https://kafka.apache.org/protocol#protocol_error_codes). */
const OFFSET_OUT_OF_RANGE = 1;
const ROUTING: ReadonlySet<number> = new Set([
  3, // UNKNOWN_TOPIC_OR_PARTITION
  5, // LEADER_NOT_AVAILABLE
  6, // NOT_LEADER_OR_FOLLOWER
  9, // REPLICA_NOT_AVAILABLE
  56, // KAFKA_STORAGE_ERROR
  74, // FENCED_LEADER_EPOCH
  75, // UNKNOWN_LEADER_EPOCH
  78, // OFFSET_NOT_AVAILABLE
  100, // UNKNOWN_TOPIC_ID
  103, // INCONSISTENT_TOPIC_ID
]);

export type Refusal =
  | { readonly is: "outOfRange" }
  | {
      readonly is: "retry";
      /** What is known of the topic may be wrong. */
      readonly isRouting: boolean;
      readonly error: PenstockError;
    };

/** What an error code of one partition means for it. Everything but a position out of range is tried again. */
export function judgeRefusal(errorCode: number, subject: string): Refusal {
  if (errorCode === OFFSET_OUT_OF_RANGE) return { is: "outOfRange" };
  const error = kafkaRefusal(errorCode, subject);
  return { is: "retry", isRouting: ROUTING.has(errorCode), error };
}
