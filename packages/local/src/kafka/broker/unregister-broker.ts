import { PenstockError } from "@penstock/core";
import { ask, int32, withBroker } from "./wire.ts";

const UNREGISTER_BROKER = [64, 0] as const;

/** Takes a stopped broker out of the cluster of the broker on `port` (KRaft only: a ZooKeeper forgets by itself). */
export async function unregisterBroker(port: number, nodeId: number): Promise<void> {
  const noTags = Buffer.alloc(1);
  const answer = await withBroker(port, (socket) =>
    ask(socket, UNREGISTER_BROKER, Buffer.concat([int32(nodeId), noTags]), true),
  );
  const error = answer.readInt16BE(4);
  if (error !== 0)
    throw new PenstockError(
      "unavailable",
      `Broker ${nodeId} was not unregistered: error ${error}.`,
    );
}
