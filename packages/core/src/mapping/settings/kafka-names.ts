import { LISTS, TEXTS } from "../constraints/aws-model.ts";
import {
  awsConstraint,
  awsList,
  brokenText,
  checkLength,
  checkText,
  LENGTH_AT_LEAST,
  LENGTH_AT_MOST,
  mapConstraints,
  memberConstraints,
  textConstraints,
} from "../constraints/constraints.ts";
import { show, type Violations } from "../constraints/violations.ts";

/** AWS's pattern of an endpoint, with a port that exists. */
export function isBootstrapServer(text: string): boolean {
  const port = Number(text.slice(text.lastIndexOf(":") + 1));
  return brokenText(TEXTS.endpoint, text) === null && port >= 1 && port <= 65_535;
}

/** The topic alone, as Kafka and AWS allow it. */
export function isTopic(text: string): boolean {
  return brokenText(TEXTS.topic, text) === null;
}

/** AWS's texts for an event source that is not there. */
const NO_SOURCE = "Unrecognized event source.";

/** Null after a violation. */
export function readBootstrapServers(
  violations: Violations,
  servers: readonly string[] | undefined,
): readonly string[] | null {
  const { field, member, min, max } = LISTS.bootstrapServers;
  if (servers === undefined) {
    violations.add(field, `${field} is required: ${min} to ${max} of host:port.`, NO_SOURCE);
    return null;
  }
  // One constraint of a map, whichever of its parts is broken.
  const aws = awsConstraint(
    member,
    `{KAFKA_BOOTSTRAP_SERVERS=${awsList(servers)}}`,
    mapConstraints("value", [
      `${LENGTH_AT_MOST} ${max}`,
      `${LENGTH_AT_LEAST} ${min}`,
      memberConstraints(textConstraints(TEXTS.endpoint)),
    ]),
  );
  if (servers.length < min || servers.length > max) {
    violations.add(
      field,
      `${field} must have ${min} to ${max} entries, not ${servers.length}.`,
      aws,
    );
    return null;
  }
  const broken = servers.flatMap((server, index) => (isBootstrapServer(server) ? [] : [index]));
  if (broken.length === 0) return servers;
  for (const index of broken) {
    const at = `${field}[${index}]`;
    const server = servers[index] ?? "";
    const isModelled = brokenText(TEXTS.endpoint, server) !== null;
    const isFirst = index === broken.find((at) => brokenText(TEXTS.endpoint, servers[at] ?? ""));
    const description = `${at} ${TEXTS.endpoint.words}, with a port from 1 to 65535, not ${show(server)}.`;
    violations.add(at, description, isModelled && isFirst ? aws : undefined);
  }
  return null;
}

/** Null after a violation. A topic of one character, which Kafka allows, is refused when strict. */
export function readTopic(
  violations: Violations,
  topics: readonly string[] | undefined,
  isStrict: boolean,
): string | null {
  const { field, member } = LISTS.topics;
  if (topics === undefined) {
    violations.add(
      field,
      `${field} is required: exactly one topic.`,
      `Required 'topics' parameter is missing.`,
    );
    return null;
  }
  if (!checkLength(violations, LISTS.topics, topics)) return null;
  const topic = topics[0] ?? "";
  const isTooShort = isStrict && topic.length === 1;
  if (isTopic(topic) && !isTooShort) return topic;
  const words = isTooShort ? "must have 2 characters or more" : TEXTS.topic.words;
  violations.add(
    `${field}[0]`,
    `${field}[0] ${words}, not ${show(topic)}.`,
    awsConstraint(member, awsList(topics), memberConstraints(textConstraints(TEXTS.topic))),
  );
  return null;
}

/** Null after a violation. */
export function readConsumerGroupId(violations: Violations, groupId: string): string | null {
  const at = {
    field: "self_managed_kafka_event_source_config.consumer_group_id",
    member: "selfManagedKafkaEventSourceConfig.consumerGroupId",
  };
  return checkText(violations, at, TEXTS.consumerGroupId, groupId) ? groupId : null;
}
