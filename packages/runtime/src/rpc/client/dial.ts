import type { Socket } from "node:net";
import { type ClientTls, openSocket } from "../../tls/client-security.ts";

/** Opens a socket for HTTP/2; one that can't be used within the limit is destroyed with ETIMEDOUT. */
export function dial(
  target: { readonly host: string; readonly port: number },
  limitMs: number,
  tls: ClientTls | null,
): Socket {
  const socket = openSocket(target, tls, () => clearTimeout(timer));
  const timer = setTimeout(() => {
    const error: NodeJS.ErrnoException = new Error(
      `connect ETIMEDOUT ${target.host}:${target.port}`,
    );
    error.code = "ETIMEDOUT";
    socket.destroy(error);
  }, limitMs);
  socket.once("close", () => clearTimeout(timer));
  return socket;
}
