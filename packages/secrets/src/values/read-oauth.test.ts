import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { readLogin } from "./read-login.ts";
import { readOAuthClient } from "./read-oauth.ts";

const key = readFileSync(new URL("./testing/plain.pem", import.meta.url), "utf8");
const encrypted = readFileSync(new URL("./testing/pbes2-aes.pem", import.meta.url), "utf8");
const base = { oauthTokenEndpointUrl: "https://idp.example/token", oauthClientId: "orders" };
const assertion = { oauthClientEmail: "orders@example", oauthPrivateKey: key };
const read = (members: Record<string, unknown>) =>
  readOAuthClient("file:oauth", JSON.stringify(members));

describe("readOAuthClient", () => {
  it("reads client credentials, and shows them to nobody", () => {
    const client = read({ ...base, oauthClientSecret: "s3cret-word" });
    expect(client.grant).toMatchObject({ kind: "clientCredentials", clientSecret: "s3cret-word" });
    expect(inspect(client, { depth: 9 })).not.toContain("s3cret-word");
    expect(JSON.stringify(client)).not.toContain("s3cret-word");
  });

  it("reads a JWT bearer client, its lifetime also as text", () => {
    const grant = (seconds?: unknown) =>
      read({ ...base, ...assertion, oauthTokenExpirationSeconds: seconds }).grant;
    expect(grant()).toMatchObject({ kind: "jwtBearer", expirationSeconds: 3600 });
    expect(grant("600")).toMatchObject({ expirationSeconds: 600 });
    expect(grant(60)).toMatchObject({ expirationSeconds: 60 });
  });

  it.each([
    [
      "both grants",
      { ...base, ...assertion, oauthClientSecret: "x" },
      "leave one grant's members out",
    ],
    [
      "one member of each grant",
      { ...base, oauthClientEmail: "a", oauthClientSecret: "x" },
      "leave one",
    ],
    ["no grant", base, "has neither"],
    ["half a grant", { ...base, oauthClientEmail: "a" }, 'has no "oauthPrivateKey"'],
    [
      "an encrypted key",
      { ...base, ...assertion, oauthPrivateKey: encrypted },
      "must be plain PKCS#8",
    ],
    [
      "no client",
      { ...base, oauthClientId: null, oauthClientSecret: "x" },
      'has no "oauthClientId"',
    ],
    ["no endpoint", { oauthClientId: "a", oauthClientSecret: "x" }, "oauthTokenEndpointUrl"],
    ["an endpoint with a user", { ...base, oauthTokenEndpointUrl: "https://a:b@c/" }, "no user"],
    ["another scheme", { ...base, oauthTokenEndpointUrl: "file:///etc/passwd" }, "https URL"],
    [
      "a lifetime out of bounds",
      { ...base, ...assertion, oauthTokenExpirationSeconds: 5 },
      "from 60 to 86400",
    ],
    [
      "a root that is none",
      { ...base, oauthClientSecret: "x", oauthIdpCaCertificate: "y" },
      "no PEM certificate",
    ],
  ])("%s is malformed", (_what, members, problem) => {
    expect(() => read(members)).toThrow(expect.objectContaining({ code: "secretMalformed" }));
    expect(() => read(members)).toThrow(problem);
  });
});

describe("readLogin", () => {
  it("takes the two members and ignores others, as AWS's rotation adds", () => {
    const text = JSON.stringify({ username: "u", password: "p", engine: "kafka", port: 9096 });
    expect(readLogin("file:a", text)).toEqual({ username: "u", password: "p" });
  });

  it.each([
    [{ username: "u" }, 'has no "password"'],
    [{ username: "", password: "p" }, 'has no "username"'],
    [{ username: "u", password: 5 }, '"password" must be text'],
    [{ username: "a\0b", password: "p" }, "NUL"],
  ])("%j is malformed", (members, problem) => {
    expect(() => readLogin("file:a", JSON.stringify(members))).toThrow(problem);
  });
});
