/** Tells the coordinator that a member of a classic group goes. */
import { PenstockError } from "@penstock/core";
import type { Cluster } from "../../cluster/cluster.ts";
import type { KafkaLog } from "../../cluster/log.ts";
import { sendLeave } from "./classic-wire.ts";
import type { MemberName } from "./exchange.ts";

interface LeavingMember extends Pick<MemberName, "memberId" | "groupInstanceId"> {
  readonly cluster: Cluster;
  readonly groupId: string;
  readonly log: KafkaLog;
}

/** False: no answer. */
export async function leaveGroup({
  cluster,
  groupId,
  log,
  ...name
}: LeavingMember): Promise<boolean> {
  try {
    const nodeId = await cluster.coordinator(groupId);
    const connection = await cluster.brokerConnection(nodeId, "control");
    await sendLeave(cluster, connection, groupId, name);
    return true;
  } catch (error) {
    log.debug("leave not confirmed; the session will end the membership", {
      group: groupId,
      reason: error instanceof PenstockError ? error.code : "unknown",
    });
    return false;
  }
}
