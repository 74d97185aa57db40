/**
 * The credentials file: who may call Penstock, and as what.
 *
 *     tokens:
 *       - { name: deploy, sha256: <64 hex digits, or a list while the token is rotated>, roles: [operator], expires: 2027-01-31T00:00:00Z }
 *       - { name: poller-a, sha256: …, roles: [node], service: poller, node_id: <optional UUID>, hosts: <optional names> }
 *     certificates:
 *       - { name: dashboard, subject: "CN=dashboard,O=Example", roles: [viewer] }      # or dns, uri, email: a subject alternative name
 *     access_keys:
 *       - { name: ci, id: AKIA…, secret: …, roles: [operator] }
 *
 * Pure. All problems are said at once; no message shows a value of the file but names of entries.
 */
import { PenstockError } from "@penstock/core";
import { parseDocument } from "yaml";
import { Secret } from "../../secrets/secret.ts";
import type { AccessKey, Credential, Credentials } from "./credentials.ts";
import { EntryReader } from "./entry-reader.ts";

const ENTRIES_MAX = 10_000;
const SECTIONS = ["tokens", "certificates", "access_keys"];
const ROTATING_MAX = 5;

/** @throws PenstockError `invalidArgument` that lists what is wrong */
export function readCredentials(text: string): Credentials {
  const problems: string[] = [];
  const file = parse(text, problems);
  const names = new Set<string>();
  const entries = (section: string): EntryReader[] => {
    const list = Object.hasOwn(file, section) ? file[section] : [];
    if (!Array.isArray(list) || list.length > ENTRIES_MAX) {
      problems.push(`${section} must be a list of at most ${ENTRIES_MAX} entries`);
      return [];
    }
    return list.map(
      (entry, index) => new EntryReader(entry, `${section}[${index}]`, names, problems),
    );
  };
  for (const section of Object.keys(file)) {
    if (!SECTIONS.includes(section))
      problems.push(`there is no section ${JSON.stringify(section)}`);
  }
  const tokens = new Map<string, Credential>();
  for (const entry of entries("tokens")) {
    const credential = entry.credential(["sha256"]);
    const digests = entry.texts(
      "sha256",
      /^[0-9a-f]{64}$/i,
      "64 hex digits: the SHA-256 of the token",
      ROTATING_MAX,
    );
    for (const digest of digests) entry.put(tokens, digest.toLowerCase(), credential, "sha256");
  }
  const certificates = new Map<string, Credential>();
  for (const entry of entries("certificates")) {
    const kinds = ["subject", "dns", "uri", "email"];
    const credential = entry.credential(kinds);
    const [kind, ...more] = kinds.filter((name) => entry.has(name));
    if (kind === undefined || more.length > 0)
      entry.problem("", `must have one of ${kinds.join(", ")}`);
    else
      entry.put(
        certificates,
        `${kind}:${entry.text(kind, /^.{1,1000}$/, "text")}`,
        credential,
        kind,
      );
  }
  const accessKeys = new Map<string, AccessKey>();
  for (const entry of entries("access_keys")) {
    const credential = entry.credential(["id", "secret"]);
    const id = entry.text("id", /^[A-Za-z0-9_]{4,128}$/, "4 to 128 letters and digits");
    const secret = entry.text("secret", /^[\x21-\x7e]{16,128}$/, "16 to 128 printable characters");
    entry.put(accessKeys, id, { ...credential, id, secretAccessKey: new Secret(secret) }, "id");
  }
  if (problems.length === 0 && tokens.size + certificates.size + accessKeys.size === 0) {
    problems.push("it lists nobody, so nobody could call");
  }
  if (problems.length > 0) {
    throw new PenstockError("invalidArgument", `The credentials file: ${problems.join("; ")}.`);
  }
  return { tokens, certificates, accessKeys };
}

function parse(text: string, problems: string[]): Record<string, unknown> {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) {
    problems.push(`line ${error.linePos?.[0].line ?? "?"}: ${error.code}`);
    return {};
  }
  const content: unknown = document.toJS({ maxAliasCount: 100 });
  if (typeof content === "object" && content !== null && !Array.isArray(content)) {
    return content as Record<string, unknown>;
  }
  problems.push(`must have the sections ${SECTIONS.join(", ")}, or some of them`);
  return {};
}
