import { connect, createServer, type Socket } from "node:net";

/** A proxy before Postgres that counts statements. */
export interface StatementCounter {
  /** The database's URL through the proxy. */
  readonly url: string;
  /** Statements since the start: Execute and Query messages, so `begin` and `commit` count too. */
  readonly count: number;
  close(): void;
}

/** Message types of the frontend: https://www.postgresql.org/docs/current/protocol-message-formats.html */
const EXECUTE = 0x45;
const QUERY = 0x51;

export async function countStatements(databaseUrl: string): Promise<StatementCounter> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let count = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    const read = frontendReader((type) => {
      if (type === EXECUTE || type === QUERY) count++;
    });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on("error", () => {});
      from.on("close", () => to.destroy());
    }
    client.on("data", (chunk) => {
      read(chunk);
      upstream.write(chunk);
    });
    upstream.on("data", (chunk) => client.write(chunk));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${(server.address() as { port: number }).port}`;
  return {
    url: url.href,
    get count() {
      return count;
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Cuts what a frontend sends into messages: the first has no type, every other one byte of type; then a length that counts itself. */
function frontendReader(onMessage: (type: number) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let isStarted = false;
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const head = isStarted ? 1 : 0;
      if (rest.length < head + 4) return;
      const end = head + rest.readUInt32BE(head);
      if (rest.length < end) return;
      if (isStarted) onMessage(rest[0] ?? 0);
      isStarted = true;
      rest = rest.subarray(end);
    }
  };
}
