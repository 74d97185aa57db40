/**
 * Asks a broker whether it can serve: it lists itself in its metadata, coordinates groups, and has loaded the
 * stored offsets. Asking creates the offsets topic, so the first real group doesn't wait for it.
 *
 * Four requests in the oldest versions that Kafka 4 still speaks, written by hand: no Kafka client is needed here.
 */
import { createConnection, type Socket } from "node:net";

const ANSWER_LIMIT_MS = 2_000;
const GROUP = "penstock-readiness";
const METADATA = 3;
const OFFSET_FETCH = 9;
const FIND_COORDINATOR = 10;

/** False while the broker can't be reached or isn't there yet; never throws. */
export async function isBrokerReady(port: number): Promise<boolean> {
  const socket = createConnection({ host: "127.0.0.1", port });
  try {
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    socket.setTimeout(ANSWER_LIMIT_MS, () => socket.destroy(new Error("no answer")));
    const brokers = await ask(socket, METADATA, 1, int32(0));
    if (brokers.readInt32BE(0) < 1) return false;
    const coordinator = await ask(socket, FIND_COORDINATOR, 0, text(GROUP));
    if (coordinator.readInt16BE(0) !== 0) return false;
    const offsets = await ask(socket, OFFSET_FETCH, 2, Buffer.concat([text(GROUP), int32(-1)]));
    return offsets.readInt16BE(offsets.length - 2) === 0;
  } catch {
    return false; // refused, reset, or silent: not ready is the answer
  } finally {
    socket.destroy();
  }
}

/** One request and the body of its answer. */
function ask(socket: Socket, apiKey: number, apiVersion: number, body: Buffer): Promise<Buffer> {
  const head = Buffer.alloc(10);
  head.writeInt16BE(apiKey, 0);
  head.writeInt16BE(apiVersion, 2);
  head.writeInt32BE(1, 4); // correlation id
  head.writeInt16BE(-1, 8); // no client id
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4 || received.length < 4 + received.readInt32BE(0)) return;
      socket.off("data", onData);
      resolve(received.subarray(8));
    };
    socket.on("data", onData);
    socket.once("close", () => reject(new Error("closed")));
    socket.write(Buffer.concat([int32(head.length + body.length), head, body]));
  });
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
