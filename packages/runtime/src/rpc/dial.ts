import { connect, type Socket } from "node:net";

/** Opens a socket; one that isn't connected within the limit is destroyed with ETIMEDOUT. */
export function dial(host: string, port: number, limitMs: number): Socket {
  const socket = connect({ host, port, noDelay: true });
  const timer = setTimeout(() => {
    const error: NodeJS.ErrnoException = new Error(`connect ETIMEDOUT ${host}:${port}`);
    error.code = "ETIMEDOUT";
    socket.destroy(error);
  }, limitMs);
  socket.once("connect", () => clearTimeout(timer));
  socket.once("close", () => clearTimeout(timer));
  return socket;
}
