import type { Server, Socket } from "node:net";

/**
 * The connections of a listener from their first packet on: also those that are still at their handshake, of which nothing above
 * knows, and for which `close` of the listener would wait.
 */
export function openSockets(server: Server): { destroy(): void } {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  return {
    destroy() {
      for (const socket of sockets) socket.destroy();
    },
  };
}
