import { createServer } from "node:net";

/** A TCP port on 127.0.0.1 that nobody listens on now. Somebody may take it before you do: be ready to try again. */
export function freePort(): Promise<number> {
  return listenOnce(0);
}

/** True when `port` on 127.0.0.1 can be bound now. */
export async function isPortFree(port: number): Promise<boolean> {
  try {
    await listenOnce(port);
    return true;
  } catch {
    return false; // EADDRINUSE, or not allowed: either way it isn't ours to use
  }
}

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ port, host: "127.0.0.1" }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
