import { inspect } from "node:util";
import { PenstockError } from "@penstock/core";
import type { GuardedAnswer } from "@penstock/egress";
import { describe, expect, it } from "vitest";
import type { OAuthClient } from "../values/read-oauth.ts";
import { TokenSource } from "./token-source.ts";

const LIFETIME_MS = 100_000;
const CLIENT: OAuthClient = {
  tokenEndpoint: new URL("https://idp.example/token"),
  clientId: "orders",
  grant: { kind: "clientCredentials", clientSecret: "word" },
  ca: null,
};

function answer(status: number, body: unknown): GuardedAnswer {
  return { status, headers: {}, body: Buffer.from(JSON.stringify(body)) };
}

/** An endpoint by hand: gives `token-1`, `token-2`, … unless `respond` says otherwise. */
function open() {
  const time = { nowMs: 0 };
  const endpoint = {
    asked: 0,
    respond: (): GuardedAnswer =>
      answer(200, { access_token: `token-${endpoint.asked}`, expires_in: LIFETIME_MS / 1000 }),
  };
  const source = new TokenSource(
    {
      http: {
        async request() {
          endpoint.asked++;
          return endpoint.respond();
        },
      },
      clock: { nowMs: () => time.nowMs, wallMs: () => time.nowMs },
      plainEndpoints: new Set(),
    },
    { uri: "file:oauth", scope: null, audience: null },
  );
  return { time, endpoint, source, token: (version = "v1") => source.token(CLIENT, version) };
}

describe("TokenSource", () => {
  it("asks once for everybody, and again after three quarters of the token's life", async () => {
    const { time, endpoint, token } = open();
    await expect(Promise.all([token(), token()])).resolves.toEqual(["token-1", "token-1"]);
    time.nowMs = LIFETIME_MS * 0.75 - 1;
    await expect(token()).resolves.toBe("token-1");
    time.nowMs = LIFETIME_MS * 0.75;
    await expect(token()).resolves.toBe("token-2");
    expect(endpoint.asked).toBe(2);
  });

  it("keeps an unexpired token while the endpoint is away, asking once a second at most, and no expired one", async () => {
    const { time, endpoint, token } = open();
    await token();
    endpoint.respond = () => answer(503, {});
    time.nowMs = LIFETIME_MS * 0.75;
    await expect(token()).resolves.toBe("token-1");
    await expect(token()).resolves.toBe("token-1");
    expect(endpoint.asked).toBe(2);
    time.nowMs = LIFETIME_MS - 5_000;
    await expect(token()).rejects.toMatchObject({ code: "secretUnavailable" });
    await expect(token()).rejects.toMatchObject({ code: "secretUnavailable" });
    expect(endpoint.asked).toBe(3);
  });

  it("a refused token is replaced, but not asked for again within a second", async () => {
    const { time, endpoint, source, token } = open();
    await token();
    source.refused();
    await expect(token()).resolves.toBe("token-1");
    time.nowMs = 1_000;
    await expect(token()).resolves.toBe("token-2");
    expect(endpoint.asked).toBe(2);
  });

  it("another version of the client's secret gets another token, also after a failure of the last", async () => {
    const { endpoint, token } = open();
    const give = endpoint.respond;
    endpoint.respond = () => answer(401, { error: "invalid_client" });
    await expect(token()).rejects.toMatchObject({ code: "secretMalformed" });
    endpoint.respond = give;
    await expect(token()).rejects.toBeInstanceOf(PenstockError);
    await expect(token("v2")).resolves.toMatch(/^token-/);
  });

  it("I-21: shows neither the token nor the client secret", async () => {
    const { source, token } = open();
    await token();
    expect(inspect(source, { depth: 9, showHidden: true })).not.toMatch(/token-1|word/);
  });
});
