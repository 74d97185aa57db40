/** Kafka requests by hand, for the few that are asked here: no Kafka client is needed to start a broker. */
import { createConnection, type Socket } from "node:net";

const ANSWER_LIMIT_MS = 2_000;
/** Kafka's own limit of a request's size is 100 MiB; the answers to these have a few kilobytes. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

/** Opens a connection, does `work` on it, closes it. Throws when the broker can't be reached or falls silent. */
export async function withBroker<T>(
  port: number,
  work: (socket: Socket) => Promise<T>,
): Promise<T> {
  const socket = createConnection({ host: "127.0.0.1", port });
  try {
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    socket.setTimeout(ANSWER_LIMIT_MS, () => socket.destroy(new Error("no answer")));
    return await work(socket);
  } finally {
    socket.destroy();
  }
}

/** One request and the body of its answer; `isFlexible` when the request's version has tagged fields. */
export function ask(
  socket: Socket,
  [apiKey, apiVersion]: readonly [number, number],
  body: Buffer,
  isFlexible = false,
): Promise<Buffer> {
  const head = Buffer.alloc(isFlexible ? 11 : 10);
  head.writeInt16BE(apiKey, 0);
  head.writeInt16BE(apiVersion, 2);
  head.writeInt32BE(1, 4); // correlation id
  head.writeInt16BE(-1, 8); // no client id
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4) return;
      const size = received.readInt32BE(0);
      if (size > ANSWER_BYTES_MAX) socket.destroy(new Error("not Kafka"));
      if (received.length < 4 + size) return;
      socket.off("data", onData);
      resolve(received.subarray(isFlexible ? 9 : 8));
    };
    socket.on("data", onData);
    socket.once("close", () => reject(new Error("closed")));
    socket.write(Buffer.concat([int32(head.length + body.length), head, body]));
  });
}

export function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

export function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
