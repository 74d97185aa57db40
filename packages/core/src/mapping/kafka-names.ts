import {
  BOOTSTRAP_SERVER_LENGTH_MAX,
  BOOTSTRAP_SERVERS_MAX,
  CONSUMER_GROUP_ID_LENGTH_MAX,
  TOPIC_LENGTH_MAX,
  TOPICS_MAX,
} from "./mapping-limits.ts";
import { show, type Violations } from "./violations.ts";

const LABEL = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?$/;

/** AWS's pattern of an endpoint, with a port that exists: labels of letters, digits and inner hyphens, then 1 to 65 535. */
export function isBootstrapServer(text: string): boolean {
  if (text.length > BOOTSTRAP_SERVER_LENGTH_MAX) return false;
  const colon = text.lastIndexOf(":");
  const port = text.slice(colon + 1);
  if (colon < 1 || !/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535)
    return false;
  return text
    .slice(0, colon)
    .split(".")
    .every((label) => LABEL.test(label));
}

/** Letters, digits, `.`, `_` and `-` (Kafka), not a dot in front (AWS). */
export function isTopic(text: string): boolean {
  return text.length <= TOPIC_LENGTH_MAX && /^[a-zA-Z0-9_-][a-zA-Z0-9._-]*$/.test(text);
}

/** AWS's pattern of ConsumerGroupId, without blanks. */
export function isConsumerGroupId(text: string): boolean {
  return text.length <= CONSUMER_GROUP_ID_LENGTH_MAX && /^[a-zA-Z0-9-/*:_+=.@]+$/.test(text);
}

export function checkBootstrapServers(violations: Violations, servers: readonly string[]): void {
  const field = "self_managed_event_source.endpoints.kafka_bootstrap_servers";
  // AWS's words for a request that names no source.
  if (servers.length === 0) violations.add(field, "Unrecognized event source.");
  if (servers.length > BOOTSTRAP_SERVERS_MAX) {
    violations.add(
      field,
      `${field} must have 1 to ${BOOTSTRAP_SERVERS_MAX} entries, not ${servers.length}.`,
    );
    return;
  }
  for (const [index, server] of servers.entries()) {
    if (isBootstrapServer(server)) continue;
    violations.add(
      `${field}[${index}]`,
      `${field}[${index}] must be host:port of at most ${BOOTSTRAP_SERVER_LENGTH_MAX} characters, not ${show(server)}.`,
    );
  }
}

export function checkTopics(violations: Violations, topics: readonly string[]): void {
  if (topics.length !== TOPICS_MAX) {
    violations.add("topics", `topics must have exactly one entry, not ${topics.length}.`);
    return;
  }
  const topic = topics[0] ?? "";
  if (isTopic(topic)) return;
  violations.add(
    "topics[0]",
    `topics[0] must have 1 to ${TOPIC_LENGTH_MAX} characters of [a-zA-Z0-9._-] and not begin with a dot, not ${show(topic)}.`,
  );
}

export function checkConsumerGroupId(violations: Violations, groupId: string): void {
  const field = "self_managed_kafka_event_source_config.consumer_group_id";
  if (isConsumerGroupId(groupId)) return;
  violations.add(
    field,
    `${field} must have 1 to ${CONSUMER_GROUP_ID_LENGTH_MAX} characters of [a-zA-Z0-9-/*:_+=.@], not ${show(groupId)}.`,
  );
}
