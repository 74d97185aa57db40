import { PenstockError } from "@penstock/core";

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** Parses `host:port`, `[v6]:port`. Throws PenstockError(invalidArgument). */
export function parseServer(text: string): ServerAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (!host || !(port >= 1 && port <= 65_535))
    throw new PenstockError(
      "invalidArgument",
      `"${text}" is not a Kafka bootstrap server; write host:port.`,
    );
  return { host, port };
}
