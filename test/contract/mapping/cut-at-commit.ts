import { connect, createServer, type Server, type Socket } from "node:net";

/** A proxy before Postgres that can cut a connection at a COMMIT. */
export interface CommitCutter {
  /** The database's URL through the proxy. */
  readonly url: string;
  /**
   * Cuts at the next COMMIT of a transaction in which `mark` was sent: `drop` before the server has it, `pass` once the server has
   * answered it.
   */
  next(how: "drop" | "pass", mark: string): void;
  /** How many were cut. */
  cuts(): number;
  close(): Promise<void>;
}

export async function cutAtCommit(databaseUrl: string): Promise<CommitCutter> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let armed: { how: "drop" | "pass"; mark: string } | null = null;
  let count = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    let isAnswerLost = false;
    let isMarked = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on("data", (chunk) => {
      if (armed !== null && chunk.includes(armed.mark)) isMarked = true;
      if (armed !== null && isMarked && isCommit(chunk)) {
        count++;
        isAnswerLost = armed.how === "pass";
        armed = null;
        if (!isAnswerLost) {
          client.destroy();
          return;
        }
      }
      if (!upstream.destroyed) upstream.write(chunk);
    });
    upstream.on("data", (chunk) => {
      if (isAnswerLost) client.destroy();
      else client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${(server.address() as { port: number }).port}`;
  return {
    url: url.href,
    next: (how, mark) => {
      armed = { how, mark };
    },
    cuts: () => count,
    close: () => close(server, sockets),
  };
}

/** A simple query whose text is `commit`. */
function isCommit(chunk: Buffer): boolean {
  return chunk.toString("latin1").includes("commit\0");
}

async function close(server: Server, sockets: Set<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
}
