/**
 * Makes random credentials for a first installation:
 *
 *     node packages/runtime/scripts/make-credentials.ts <folder>
 *
 *     <folder>/admin/{token,aws-credentials}      for people: a bearer token, and a profile for AWS's tools
 *     <folder>/<service>/{credentials.yaml,token} for mapping, poller and invoker each: who may call it, and what it shows to the others
 *     <folder>/poller/invoker-token               what pollers show to invokers
 *
 * What is there already stays. Nothing secret is printed.
 */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readCredentials } from "../src/auth/credentials/read-credentials.ts";

interface Token {
  readonly name: string;
  readonly fields: string;
  /** Below the folder; that of the admin is written last. */
  readonly file: string;
  /** Only who is called with it knows it: what is shown to the one is no use with the others. */
  readonly knownBy: readonly string[];
}

const SERVICES = ["mapping", "poller", "invoker"];
const NODE = "roles: [node], service";
const TOKENS: readonly Token[] = [
  { name: "admin", fields: "roles: [admin]", file: "admin/token", knownBy: SERVICES },
  // The mapping service asks pollers what they wait for.
  { name: "mapping", fields: "roles: [viewer]", file: "mapping/token", knownBy: ["poller"] },
  { name: "poller", fields: `${NODE}: poller`, file: "poller/token", knownBy: ["mapping"] },
  {
    name: "poller-calls",
    fields: `${NODE}: poller`,
    file: "poller/invoker-token",
    knownBy: ["invoker"],
  },
  { name: "invoker", fields: `${NODE}: invoker`, file: "invoker/token", knownBy: ["mapping"] },
];

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
  for (const name of ["admin", ...SERVICES]) mkdirSync(join(root, name), { recursive: true });
  const tokens = TOKENS.map(({ name, fields, file, knownBy }) => {
    const token = randomBytes(32).toString("base64url");
    const sha256 = createHash("sha256").update(token).digest("hex");
    return { token, file, knownBy, entry: `  - { name: ${name}, sha256: ${sha256}, ${fields} }\n` };
  });
  const id = `AKIA${randomBytes(8).toString("hex").toUpperCase()}`;
  const secret = randomBytes(30).toString("base64url");
  const keys = `access_keys:\n  - { name: admin-key, id: ${id}, secret: ${secret}, roles: [admin] }\n`;
  for (const service of SERVICES) {
    const known = tokens.filter(({ knownBy }) => knownBy.includes(service));
    // Only the mapping service has a face on which AWS's signatures are of use.
    const more = service === "mapping" ? keys : "";
    const text = `tokens:\n${known.map(({ entry }) => entry).join("")}${more}`;
    readCredentials(text);
    write(join(root, service, "credentials.yaml"), text);
  }
  write(
    join(root, "admin", "aws-credentials"),
    `[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`,
  );
  for (const { file, token } of tokens.toReversed()) write(join(root, file), `${token}\n`);
}

function write(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 });
}
