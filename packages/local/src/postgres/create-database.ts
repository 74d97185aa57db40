import { PenstockError } from "@penstock/core";
import { simpleQuery } from "./simple-query.ts";

/**
 * Makes the database `name` on the server that `serverUrl` points at (any of its databases; a password over
 * loopback), a copy of `template` when given, and answers its URL. Nobody may be connected to the template.
 */
export async function createDatabase(
  serverUrl: string,
  name: string,
  template?: string,
): Promise<string> {
  const url = new URL(serverUrl);
  const from = template === undefined ? "" : ` TEMPLATE ${checked(template)}`;
  const target = {
    port: Number(url.port),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: "postgres",
  };
  await simpleQuery(target, `CREATE DATABASE ${checked(name)}${from}`);
  url.pathname = `/${name}`;
  return url.href;
}

/** Kept to names that need no quoting anywhere, URLs included. */
function checked(name: string): string {
  if (/^[a-z_][a-z0-9_]{0,62}$/.test(name)) return name;
  throw new PenstockError(
    "invalidArgument",
    `${name} is no plain name for a database: a-z, 0-9, _`,
  );
}
