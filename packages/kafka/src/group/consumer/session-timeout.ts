/**
 * How long the coordinator waits for a heartbeat before it removes a member. The heartbeat response doesn't say it, so it is asked for:
 * the group's own setting, else the broker's (DescribeConfigs; both need the right to describe). Null when nobody tells: the
 * caller then assumes three heartbeat intervals, which is below what brokers accept as a session.
 */
import { type Connection, describeConfigsV4 } from "@platformatic/kafka";
import type { Cluster } from "../../cluster/cluster.ts";
import { KAFKA } from "../../cluster/kafka-error.ts";
import { request } from "../../cluster/request.ts";

const API_KEY = 32;
const VERSION = 4;
const BROKER_RESOURCE = 4;
const GROUP_RESOURCE = 32;
const GROUP_KEY = "consumer.session.timeout.ms";
const BROKER_KEY = "group.consumer.session.timeout.ms";

export async function readSessionTimeoutMs(
  cluster: Cluster,
  connection: Connection,
  nodeId: number,
  groupId: string,
): Promise<number | null> {
  // Some managed brokers have no such request, and end a connection on which it comes.
  if (cluster.apiVersion(connection, API_KEY, VERSION) < VERSION) return null;
  const { results } = await request(connection, describeConfigsV4.api, [
    { resourceType: GROUP_RESOURCE, resourceName: groupId, configurationKeys: [GROUP_KEY] },
    {
      resourceType: BROKER_RESOURCE,
      resourceName: String(nodeId),
      configurationKeys: [BROKER_KEY],
    },
  ]);
  for (const key of [GROUP_KEY, BROKER_KEY]) {
    for (const { errorCode, configs } of results) {
      const found = configs.find(({ name }) => name === key);
      const sessionMs = Number(found?.value);
      if (errorCode === KAFKA.none && sessionMs > 0) return sessionMs;
    }
  }
  return null;
}
