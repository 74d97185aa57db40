import { TEXTS } from "../constraints/aws-model.ts";
import { checkText } from "../constraints/constraints.ts";
import { show, type Violations } from "../constraints/violations.ts";

export const DESTINATION = {
  field: "destination_config.on_failure.destination",
  member: "destinationConfig.onFailure.destination",
};

/** A topic of the source's cluster as a destination begins so. */
const KAFKA_PREFIX = "kafka://";
/** AWS, "Capturing discarded batches": SQS, SNS and S3, no FIFO queues and topics. */
const SERVICES: readonly string[] = ["sqs", "sns", "s3"];

/** Null = none. Undefined after a violation. */
export function readFailureDestination(
  text: string,
  violations: Violations,
): string | null | undefined {
  if (!checkText(violations, DESTINATION, TEXTS.destination, text)) return undefined;
  if (text === "") return null;
  const service = text.split(":", 3)[2] ?? "";
  const isTarget = SERVICES.includes(service) && !text.endsWith(".fifo");
  if (destinationTopic(text) !== null || isTarget) return text;
  violations.add(
    DESTINATION.field,
    `${DESTINATION.field} must be kafka://topic, or the ARN of an SQS queue, an SNS topic (neither of them FIFO) or an S3 bucket, not ${show(text)}.`,
    `Unsupported '${DESTINATION.member}' parameter for given event source mapping type.`,
  );
  return undefined;
}

/** The topic of a `kafka://` destination; null = another kind. */
export function destinationTopic(destination: string): string | null {
  return destination.startsWith(KAFKA_PREFIX) ? destination.slice(KAFKA_PREFIX.length) : null;
}
