import { describe, expect, it } from "vitest";
import { readTokenAnswer } from "./token-answer.ts";

const read = (status: number, body: unknown) =>
  readTokenAnswer(
    "file:oauth",
    "idp.example",
    {
      status,
      headers: {},
      body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
    },
    1_000_000_000_000,
  );
const jwt = (claims: unknown): string =>
  `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;

describe("readTokenAnswer", () => {
  it.each([
    [{ access_token: "opaque", expires_in: 300 }, 300_000],
    [{ access_token: "opaque", token_type: "bearer", expires_in: "300" }, 300_000],
    [{ access_token: "opaque" }, 60_000],
    [{ access_token: jwt({ exp: 1_000_000_600 }) }, 600_000],
    [{ access_token: jwt({ exp: 1 }) }, 0],
    [{ access_token: "opaque", expires_in: 1e12 }, 86_400_000],
  ])("%j lives %d ms", (body, lifetimeMs) => {
    expect(read(200, body)).toMatchObject({ lifetimeMs });
  });

  it.each([
    [400, { error: "invalid_grant" }, "secretMalformed", "invalid_grant"],
    [401, { error: "invalid_client" }, "secretMalformed", "invalid_client"],
    [403, "no json", "secretMalformed", "status 403"],
    [302, "", "secretUnavailable", "redirects"],
    [429, "", "secretUnavailable", "status 429"],
    [500, "", "secretUnavailable", "status 500"],
    [200, "not json", "secretUnavailable", "no bearer token"],
    [200, {}, "secretUnavailable", "no bearer token"],
    [200, { access_token: "with blank" }, "secretUnavailable", "no bearer token"],
    [200, { access_token: "x\u0001auth" }, "secretUnavailable", "no bearer token"],
    [200, { access_token: "x", token_type: "mac" }, "secretUnavailable", "no bearer token"],
  ])("status %d with %j is %s", (status, body, code, problem) => {
    expect(() => read(status, body)).toThrow(expect.objectContaining({ code }));
    expect(() => read(status, body)).toThrow(problem);
  });

  it("I-21: what an endpoint says of its own is not repeated", () => {
    const body = { error: "sent client_secret=hunter2", error_description: "hunter2" };
    expect(() => read(400, body)).toThrow("status 400");
    expect(() => read(400, body)).not.toThrow("hunter2");
  });
});
