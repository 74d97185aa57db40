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
  const from = template === undefined ? "" : ` TEMPLATE ${quoted(template)}`;
  const target = {
    port: Number(url.port),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: "postgres",
  };
  await simpleQuery(target, `CREATE DATABASE ${quoted(name)}${from}`);
  url.pathname = `/${encodeURIComponent(name)}`;
  return url.href;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
