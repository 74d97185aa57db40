/**
 * What speaks at a port, by its first bytes: asked only after a connection failed before the broker said anything sensible, to name a mix-up of TLS and
 * plaintext. Says nothing but a greeting, so it never gives anything away.
 */
import { randomBytes } from "node:crypto";
import { createConnection } from "node:net";

export type PortSpeaks = "tls" | "kafka" | "unknown";

const LIMIT_MS = 2_000;
const BYTES_NEEDED = 8;
const CORRELATION_ID = 0x50454e53;
const ALERT = 0x15;
const HANDSHAKE = 0x16;
/** Of the answer to ApiVersions. */
const FRAME_BYTES_MAX = 65_536;

/** Never fails. */
export async function probePort(
  address: string,
  port: number,
  greeting: "tls" | "kafka",
): Promise<PortSpeaks> {
  const bytes = await firstBytes(address, port, greeting === "tls" ? clientHello() : apiVersions());
  if (bytes.length < 3) return "unknown";
  if ((bytes[0] === ALERT || bytes[0] === HANDSHAKE) && bytes[1] === 3 && (bytes[2] ?? 9) <= 4)
    return "tls";
  const isAnswer =
    bytes.length >= BYTES_NEEDED &&
    bytes.readUInt32BE(0) <= FRAME_BYTES_MAX &&
    bytes.readUInt32BE(4) === CORRELATION_ID;
  return isAnswer ? "kafka" : "unknown";
}

function firstBytes(address: string, port: number, greeting: Buffer): Promise<Buffer> {
  return new Promise((resolve) => {
    let received = Buffer.alloc(0);
    const socket = createConnection({ host: address, port });
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(received);
    };
    const timer = setTimeout(end, LIMIT_MS);
    socket.on("connect", () => socket.write(greeting));
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk.subarray(0, BYTES_NEEDED)]);
      if (received.length >= BYTES_NEEDED) end();
    });
    socket.on("error", end);
    socket.on("close", end);
  });
}

/** ApiVersions, version 0, without a client id. */
function apiVersions(): Buffer {
  const frame = Buffer.alloc(14);
  frame.writeInt32BE(10, 0);
  frame.writeInt16BE(18, 4);
  frame.writeInt32BE(CORRELATION_ID, 8);
  frame.writeInt16BE(-1, 12);
  return frame;
}

/** A greeting of TLS 1.2 (RFC 5246, 7.4.1.2) without extensions. A server that wants more answers with an alert, which is as telling. */
function clientHello(): Buffer {
  const suites = Buffer.from("c02fc030c02bc02c009c009d002f0035", "hex");
  const hello = Buffer.concat([
    Buffer.from("0303", "hex"),
    randomBytes(32),
    Buffer.from([0, 0, suites.length]),
    suites,
    Buffer.from([1, 0]),
  ]);
  const head = Buffer.from([HANDSHAKE, 3, 1, 0, hello.length + 4, 1, 0, 0, hello.length]);
  return Buffer.concat([head, hello]);
}
