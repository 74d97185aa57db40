/**
 * Preloaded into a service (`node --import`): names that end in `.penstock.test` are looked up in a file that the test edits, so that a wrong host can
 * be put right while the service runs. All other names go the usual way.
 */
import dns from "node:dns";
import { readFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const OURS = ".penstock.test";
const system = dns.lookup as (...given: unknown[]) => void;

type Callback = (error: Error | null, address?: unknown, family?: number) => void;

function lookup(host: string, ...rest: unknown[]): void {
  if (!host.endsWith(OURS)) {
    system(host, ...rest);
    return;
  }
  const callback = rest.at(-1) as Callback;
  const options = rest.length > 1 ? (rest[0] as { all?: boolean }) : {};
  const known = readFileSync(process.env.TEST_NAMES_FILE ?? "", "utf8").split("\n");
  setImmediate(() => {
    if (!known.includes(host)) {
      callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: "ENOTFOUND" }));
    } else if (options.all) callback(null, [{ address: "127.0.0.1", family: 4 }]);
    else callback(null, "127.0.0.1", 4);
  });
}

dns.lookup = lookup as typeof dns.lookup;
syncBuiltinESMExports();
