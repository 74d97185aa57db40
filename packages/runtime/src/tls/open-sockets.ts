import { isIPv6, type Server, type Socket } from "node:net";

/**
 * The connections of a listener from their first packet on: also those that are still at their handshake, of which nothing above
 * knows, and for which `close` of the listener would wait. Of one peer there are so many at most; more are closed at once.
 */
export function openSockets(server: Server, perPeerMax: number): { destroy(): void } {
  const sockets = new Set<Socket>();
  const perPeer = new Map<string, number>();
  server.on("connection", (socket: Socket) => {
    const peer = peerGroup(socket.remoteAddress ?? "");
    const count = (perPeer.get(peer) ?? 0) + 1;
    perPeer.set(peer, count);
    sockets.add(socket);
    socket.once("close", () => {
      sockets.delete(socket);
      const left = (perPeer.get(peer) ?? 1) - 1;
      if (left > 0) perPeer.set(peer, left);
      else perPeer.delete(peer);
    });
    if (count > perPeerMax) socket.destroy();
  });
  return {
    destroy() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Whose connections are counted together: an IPv4 address, or the /64 of an IPv6 address, all of which one host may use. */
export function peerGroup(address: string): string {
  if (!isIPv6(address)) return address;
  if (/^::ffff:\d+\./i.test(address)) return address.slice(7);
  const [head = "", tail] = address.split("%", 1)[0]?.split("::") ?? [];
  const groups = head === "" ? [] : head.split(":");
  const end = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - end.length);
  const whole = [...groups, ...Array<string>(zeros).fill("0"), ...end];
  return `${whole.slice(0, 4).join(":")}::/64`;
}
