/**
 * Asks a broker whether it can serve: it lists itself in its metadata, knows the coordinator of a group, and, when it is that
 * coordinator, has loaded the stored offsets. Asking creates the offsets topic, so the first real group doesn't wait for it.
 *
 * In the versions of the requests that every Kafka from 0.10 to 4 speaks.
 */
import { ask, int32, text, withBroker } from "./wire.ts";

const GROUP = "penstock-readiness";
const METADATA = [3, 1] as const;
const OFFSET_FETCH = [9, 1] as const;
const FIND_COORDINATOR = [10, 0] as const;

/**
 * False while the broker can't be reached, isn't there yet, or knows fewer brokers than `brokersMin`; never throws. Nobody may ask
 * before they are there: old versions make the offsets topic with as many replicas as there are brokers.
 */
export async function isBrokerReady(
  port: number,
  nodeId: number,
  brokersMin = 1,
): Promise<boolean> {
  try {
    return await withBroker(port, async (socket) => {
      const ids = brokerIds(await ask(socket, METADATA, int32(0)));
      if (!ids.includes(nodeId) || ids.length < brokersMin) return false;
      const coordinator = await ask(socket, FIND_COORDINATOR, text(GROUP));
      if (coordinator.readInt16BE(0) !== 0) return false;
      if (coordinator.readInt32BE(2) !== nodeId) return true;
      const onePartition = [int32(1), text(GROUP), int32(1), int32(0)];
      const offsets = await ask(
        socket,
        OFFSET_FETCH,
        Buffer.concat([text(GROUP), ...onePartition]),
      );
      return offsets.readInt16BE(offsets.length - 2) === 0;
    });
  } catch {
    return false; // refused, reset, or silent: not ready is the answer
  }
}

/** Ids of the brokers that are up, as the broker on `port` knows; empty when it can't be reached. */
export async function listedBrokers(port: number): Promise<number[]> {
  try {
    return await withBroker(port, async (socket) =>
      brokerIds(await ask(socket, METADATA, int32(0))),
    );
  } catch {
    return []; // it has stopped: it lists nobody
  }
}

/** The nodes of an answer to Metadata v1: id, host, port, rack. */
function brokerIds(answer: Buffer): number[] {
  const ids: number[] = [];
  let at = 4;
  for (let left = answer.readInt32BE(0); left > 0; left--) {
    ids.push(answer.readInt32BE(at));
    at += 4 + 2 + answer.readInt16BE(at + 4) + 4;
    at += 2 + Math.max(0, answer.readInt16BE(at));
  }
  return ids;
}
