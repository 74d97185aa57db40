/**
 * A proxy in front of a broker that knows just enough of the protocol to lose one answer: the request reaches the broker, its answer
 * doesn't come back, the connection ends. And it can make connections half-open: nothing passes any more, nobody is told.
 */
import { connect, createServer, type Server, type Socket } from "node:net";

const HEARTBEAT_KEY = 68;
/** A heartbeat's answer without an assignment is about 60 bytes; an assigned partition adds at least 20. */
const WITHOUT_ASSIGNMENT_BYTES_MAX = 70;

export class AnswerDropper {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** How many heartbeat answers that carry an assignment are still to be lost. */
  toDrop = 0;
  dropped = 0;
  #frozen = new Set<Socket>();

  constructor(brokerPort: number) {
    this.#server = createServer((client) => this.#serve(client, connect(brokerPort, "127.0.0.1")));
  }

  /** On the broker's own port but another loopback address: brokers advertise their port, and the address is the guard's choice. */
  listen(host: string, port: number): Promise<void> {
    return new Promise((resolve) => this.#server.listen(port, host, resolve));
  }

  /** Every present connection is half-open from now on; new ones work. */
  freeze(): void {
    this.#frozen = new Set(this.#sockets);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(client: Socket, broker: Socket): void {
    const keys = new Map<number, number>();
    for (const socket of [client, broker]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(socket);
        client.destroy();
        broker.destroy();
      });
    }
    onFrames(client, (frame) => {
      if (this.#frozen.has(client)) return;
      keys.set(frame.readInt32BE(8), frame.readInt16BE(4));
      broker.write(frame);
    });
    onFrames(broker, (frame) => {
      if (this.#frozen.has(client)) return;
      const key = keys.get(frame.readInt32BE(4));
      keys.delete(frame.readInt32BE(4));
      const isAssignment = key === HEARTBEAT_KEY && frame.length > WITHOUT_ASSIGNMENT_BYTES_MAX;
      if (isAssignment && this.toDrop > 0) {
        this.toDrop--;
        this.dropped++;
        client.destroy();
      } else client.write(frame);
    });
  }
}

function onFrames(socket: Socket, each: (frame: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const end = 4 + rest.readInt32BE(0);
      each(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
  });
}
