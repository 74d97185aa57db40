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

/** False while the broker can't be reached or isn't there yet; never throws. */
export async function isBrokerReady(port: number, nodeId: number): Promise<boolean> {
  try {
    return await withBroker(port, async (socket) => {
      const metadata = await ask(socket, METADATA, int32(0));
      if (!brokerIds(metadata).includes(nodeId)) return false;
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
