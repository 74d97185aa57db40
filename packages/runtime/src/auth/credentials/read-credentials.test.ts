import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { readCredentials } from "./read-credentials.ts";

const A = "a".repeat(64);
const B = "B".repeat(64);
const SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const NODE_ID = "5B1F3C9E-6A0D-4C1B-9E57-0D3C8A2F4E61";

describe("readCredentials", () => {
  it("reads tokens, certificates and access keys with their roles", () => {
    const { tokens, certificates, accessKeys } = readCredentials(`
tokens:
  - { name: deploy, sha256: ${A}, roles: [operator], expires: 2027-01-31T00:00:00Z }
  - { name: poller-a, sha256: [${B}], roles: [node], service: poller, node_id: ${NODE_ID} }
certificates:
  - { name: dashboard, subject: "CN=dashboard,O=Example", roles: [viewer] }
  - { name: invoker, uri: "spiffe://penstock/invoker", roles: [node], service: invoker, hosts: [A.example, "fd00::1"] }
access_keys:
  - { name: ci, id: AKIAIOSFODNN7EXAMPLE, secret: ${SECRET}, roles: [admin] }
`);
    expect(tokens.get(A)).toEqual({
      caller: { subject: "deploy", roles: new Set(["operator"]), nodeId: null },
      expiresAtMs: Date.parse("2027-01-31T00:00:00Z"),
    });
    expect(tokens.get(B.toLowerCase())?.caller).toEqual({
      subject: "poller-a",
      roles: new Set(["node"]),
      nodeId: NODE_ID.toLowerCase(),
      nodeServices: new Set(["poller"]),
    });
    expect([...certificates.keys()]).toEqual([
      "subject:CN=dashboard,O=Example",
      "uri:spiffe://penstock/invoker",
    ]);
    expect(certificates.get("uri:spiffe://penstock/invoker")?.caller.nodeHosts).toEqual(
      new Set(["a.example", "fd00::1"]),
    );
    expect(accessKeys.get("AKIAIOSFODNN7EXAMPLE")?.secretAccessKey.reveal()).toBe(SECRET);
  });

  it("lets a token be rotated: two digests are one credential", () => {
    const { tokens } = readCredentials(
      `tokens: [{ name: a, sha256: [${A}, ${B}], roles: [viewer] }]`,
    );
    expect(tokens.get(A)).toBe(tokens.get(B.toLowerCase()));
  });

  it.each([
    ["tokens: [{ name: a, sha256: abc, roles: [viewer] }]", "tokens[0].sha256 must be 64 hex"],
    [`tokens: [{ name: a, sha256: ${A}, roles: [root] }]`, "tokens[0].roles must be a list of"],
    [`tokens: [{ name: a, sha256: ${A}, roles: [] }]`, "tokens[0].roles must be a list of"],
    [`tokens: [{ name: "a:b", sha256: ${A}, roles: [viewer] }]`, "tokens[0].name must be"],
    [`tokens: [{ name: a, sha256: ${A}, roles: [node] }]`, "tokens[0].service must be poller or"],
    [
      `tokens: [{ name: a, sha256: ${A}, roles: [node], service: [poller, x] }]`,
      "or a list of both",
    ],
    [
      `tokens: [{ name: a, sha256: ${A}, roles: [node], service: [poller, invoker], node_id: ${NODE_ID} }]`,
      "node with one service",
    ],
    [`tokens: [{ name: a, sha256: ${A}, roles: [viewer], service: poller }]`, "for the role node"],
    [`tokens: [{ name: a, sha256: ${A}, roles: [viewer], expires: soon }]`, "expires must be a"],
    [`tokens: [{ name: a, sha256: ${A}, roles: [viewer], expire: 2027-01-01 }]`, '"expire"'],
    [
      `tokens: [{ name: a, sha256: ${A}, roles: [viewer] }, { name: b, sha256: ${A}, roles: [admin] }]`,
      "tokens[1].sha256 belongs to another entry",
    ],
    [
      `tokens: [{ name: a, sha256: ${A}, roles: [viewer] }, { name: a, sha256: ${B}, roles: [admin] }]`,
      "tokens[1].name is there twice",
    ],
    [
      `tokens: [{ name: a, sha256: ${A}, roles: [viewer], hosts: b }]`,
      "hosts is for the role node",
    ],
    [
      `tokens: [{ name: a, sha256: ${A}, roles: [node], service: poller, hosts: ["b/c"] }]`,
      "hosts must be a name or address",
    ],
    ["certificates: [{ name: a, roles: [viewer] }]", "must have one of subject, dns"],
    ["access_keys: [{ name: a, id: AKIA1, secret: x, roles: [viewer] }]", "secret must be 16"],
    ["tokens: 1", "tokens must be a list"],
    ["keys: []", 'no section "keys"'],
    ["[]", "must have the sections"],
    ["{}", "lists nobody"],
    ["tokens: [", "line 1"],
    ["__proto__: { tokens: [] }", "no section"],
  ])("S-16, I-14: refuses %s", (text, problem) => {
    expect(() => readCredentials(text)).toThrow(problem);
  });

  it("I-21: shows no secret: not of a good file, not in the message about a bad one", () => {
    const entry = `{ name: ci, id: AKIAIOSFODNN7EXAMPLE, secret: ${SECRET}, roles: [admin] }`;
    const good = readCredentials(`access_keys: [${entry}]`);
    expect(inspect(good, { depth: null })).not.toContain(SECRET);
    expect(JSON.stringify([...good.accessKeys])).not.toContain(SECRET);
    for (const text of [`access_keys: [${entry}, ${SECRET}]`, `access_keys: ${SECRET}`, SECRET]) {
      let message = "";
      try {
        readCredentials(text);
      } catch (error) {
        message = inspect(error);
      }
      expect(message).toContain("credentials file");
      expect(message).not.toContain(SECRET);
    }
  });
});
