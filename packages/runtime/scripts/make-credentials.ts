/**
 * Makes random credentials for a first installation:
 *
 *     node packages/runtime/scripts/make-credentials.ts <folder>
 *
 *     <folder>/admin/{token,aws-credentials}      for people: a bearer token, and a profile for AWS's tools
 *     <folder>/<service>/{credentials.yaml,token} for mapping, poller and invoker each: whom it knows, and what it shows to the others
 *
 * What is there already stays. Nothing secret is printed.
 */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readCredentials } from "../src/auth/credentials/read-credentials.ts";

const TOKENS: Readonly<Record<string, string>> = {
  admin: "roles: [admin]",
  // The mapping service asks pollers what they wait for.
  mapping: "roles: [viewer]",
  poller: "roles: [node], service: poller",
  invoker: "roles: [node], service: invoker",
};
const SERVICES = ["mapping", "poller", "invoker"];

const folder = process.argv[2];
if (folder === undefined) {
  process.stderr.write("usage: make-credentials.ts <folder>\n");
  process.exit(64);
}
// Written last.
const mark = join(folder, "admin", "token");
if (!existsSync(mark)) make(folder);
process.stdout.write(`credentials are in ${folder}\n`);

function make(root: string): void {
  for (const name of Object.keys(TOKENS)) mkdirSync(join(root, name), { recursive: true });
  const tokens = Object.entries(TOKENS).map(([name, fields]) => {
    const token = randomBytes(32).toString("base64url");
    const sha256 = createHash("sha256").update(token).digest("hex");
    return { name, token, entry: `  - { name: ${name}, sha256: ${sha256}, ${fields} }\n` };
  });
  const id = `AKIA${randomBytes(8).toString("hex").toUpperCase()}`;
  const secret = randomBytes(30).toString("base64url");
  const known = `tokens:\n${tokens.map(({ entry }) => entry).join("")}`;
  const keys = `access_keys:\n  - { name: admin-key, id: ${id}, secret: ${secret}, roles: [admin] }\n`;
  readCredentials(known + keys);
  for (const service of SERVICES) {
    // Only the mapping service has a face on which AWS's signatures are of use.
    const text = service === "mapping" ? known + keys : known;
    write(join(root, service, "credentials.yaml"), text);
  }
  write(
    join(root, "admin", "aws-credentials"),
    `[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`,
  );
  for (const { name, token } of tokens.toReversed()) write(join(root, name, "token"), `${token}\n`);
}

function write(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 });
}
