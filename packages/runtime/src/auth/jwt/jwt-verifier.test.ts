import { createHash } from "node:crypto";
import { PenstockError } from "@penstock/core";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { createLogger } from "../../logs/logger.ts";
import { JwtVerifier } from "./jwt-verifier.ts";
import { readKeySet, remoteKeySet } from "./key-sets.ts";

const ISSUER = "https://issuer.example";
const AUDIENCE = "penstock";
const log = createLogger({ service: "test", destination: { write: () => {} } });

interface Key {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly jwk: object;
}

type CryptoKey = Awaited<ReturnType<typeof generateKeyPair>>["privateKey"];

let key: Key;
let other: Key;

beforeAll(async () => {
  key = await newKey("one");
  other = await newKey("two");
});

async function newKey(kid: string): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: "ES256" } };
}

function sign(claims: object, by = key): Promise<string> {
  return new SignJWT({
    sub: "alice",
    iss: ISSUER,
    aud: AUDIENCE,
    exp: nowSeconds() + 300,
    ...claims,
  })
    .setProtectedHeader({ alg: "ES256", kid: by.kid })
    .sign(by.privateKey);
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

function verifier(options: Partial<ConstructorParameters<typeof JwtVerifier>[0]> = {}) {
  const keys = readKeySet({ keys: [key.jwk] });
  const jwt = new JwtVerifier({
    issuer: ISSUER,
    audience: AUDIENCE,
    algorithms: ["ES256"],
    rolesClaim: "roles",
    keys: { current: async () => keys, newer: async () => null },
    nowMs: Date.now,
    ...options,
  });
  return (token: string) => jwt.verify(token, createHash("sha256").update(token).digest("hex"));
}

describe("JwtVerifier", () => {
  it("reads subject and roles of a good token; what is no role of ours is left out", async () => {
    const { caller, isGood } = await verifier()(await sign({ roles: ["operator", "billing"] }));
    expect(caller).toEqual({ subject: "jwt:alice", roles: new Set(["operator"]), nodeId: null });
    expect(isGood()).toBe(true);
  });

  it.each([
    ["roles", { roles: "viewer admin" }, ["viewer", "admin"]],
    ["realm_access.roles", { realm_access: { roles: ["viewer"] } }, ["viewer"]],
    ["https://a.example/roles", { "https://a.example/roles": ["admin"] }, ["admin"]],
    ["constructor.name", {}, []],
    ["__proto__.roles", { roles: ["admin"] }, []],
    ["roles", { roles: { admin: true } }, []],
  ])("S-16: finds roles at %s of %j", async (rolesClaim, claims, roles) => {
    const { caller } = await verifier({ rolesClaim })(await sign(claims));
    expect(caller.roles).toEqual(new Set(roles));
  });

  it("takes a node credential only with its service", async () => {
    const verify = verifier();
    const node = { roles: ["node"], penstock_service: "poller" };
    expect((await verify(await sign(node))).caller).toMatchObject({
      roles: new Set(["node"]),
      nodeServices: new Set(["poller"]),
    });
    expect((await verify(await sign({ roles: ["node"] }))).caller.roles.size).toBe(0);
    const viewer = await verify(await sign({ ...node, roles: ["viewer"] }));
    expect(viewer.caller.nodeServices).toBeUndefined();
  });

  it.each([
    ["expired", { exp: nowSeconds() - 120 }, "has expired"],
    ["not yet valid", { nbf: nowSeconds() + 300 }, '"nbf"'],
    ["of another issuer", { iss: "https://other.example" }, '"iss"'],
    ["for another audience", { aud: "other" }, '"aud"'],
    ["without end", { exp: undefined }, '"exp"'],
    ["of nobody", { sub: undefined }, '"sub"'],
    ["of somebody without name", { sub: "" }, '"sub"'],
    ["of half a character", { sub: "a\ud800" }, '"sub"'],
    ["of two lines", { sub: "a\nb" }, '"sub"'],
    ["of a separator of lines", { sub: "a\u2028b" }, '"sub"'],
  ])("S-10: refuses a token that is %s", async (_what, claims, message) => {
    const error = await verifier()(await sign(claims)).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "unauthenticated" });
    expect((error as Error).message).toContain(message);
  });

  it("S-10: refuses another's signature, a changed body, no signature, and algorithms off the list", async () => {
    const good = await sign({ roles: ["viewer"] });
    const [head, , signature] = good.split(".");
    const payload = Buffer.from(JSON.stringify({ sub: "alice", roles: ["admin"] })).toString(
      "base64url",
    );
    const none = Buffer.from('{"alg":"none"}').toString("base64url");
    const forged = { ...other, kid: key.kid };
    const shared = new SignJWT({ sub: "a", iss: ISSUER, aud: AUDIENCE, exp: nowSeconds() + 60 })
      .setProtectedHeader({ alg: "HS256", kid: key.kid })
      .sign(Buffer.from(JSON.stringify(key.jwk)));
    const tokens = [
      `${head}.${payload}.${signature}`,
      `${none}.${payload}.`,
      await sign({}, forged),
      await shared,
    ];
    for (const token of tokens) {
      await expect(verifier()(token)).rejects.toMatchObject({ code: "unauthenticated" });
    }
    const strict = verifier({ algorithms: ["RS256"] });
    await expect(strict(good)).rejects.toMatchObject({ code: "unauthenticated" });
  });

  it("is no longer good once it has expired, also when it was verified before", async () => {
    let nowMs = Date.now();
    const verify = verifier({ nowMs: () => nowMs });
    const token = await sign({});
    const { isGood } = await verify(token);
    expect((await verify(token)).isGood).toBe(isGood);
    nowMs += 400_000;
    expect(isGood()).toBe(false);
    await expect(verify(token)).rejects.toThrow("has expired");
  });
});

describe("a key set behind a URL", () => {
  function source() {
    const world = { nowMs: 0, asked: 0, document: {} as unknown, isAway: false };
    const keys = remoteKeySet({
      url: "https://issuer.example/keys",
      log,
      nowMs: () => world.nowMs,
      fetchJson: async () => {
        world.asked++;
        if (world.isAway) throw new PenstockError("unavailable", "away");
        return world.document;
      },
    });
    return { world, verify: verifier({ keys }) };
  }

  it("is asked once, and again for a key that it doesn't have, but not for each bad token", async () => {
    const { world, verify } = source();
    world.document = { keys: [key.jwk] };
    await verify(await sign({ jti: "1" }));
    await verify(await sign({ jti: "2" }));
    expect(world.asked).toBe(1);
    world.document = { keys: [key.jwk, other.jwk] };
    await expect(verify(await sign({}, other))).rejects.toMatchObject({ code: "unauthenticated" });
    expect(world.asked).toBe(1);
    world.nowMs += 60_000;
    await verify(await sign({}, other));
    expect(world.asked).toBe(2);
  });

  it("I-19: stays in use while its issuer is away; before the first answer nobody gets in", async () => {
    const { world, verify } = source();
    world.isAway = true;
    await expect(verify(await sign({}))).rejects.toMatchObject({ code: "unavailable" });
    world.isAway = false;
    world.document = { keys: [key.jwk] };
    world.nowMs += 60_000;
    await verify(await sign({}));
    world.isAway = true;
    world.nowMs += 3_600_000;
    await verify(await sign({ jti: "2" }));
    expect(world.asked).toBe(3);
  });

  it("lets nobody in by a key that is gone from it, also who was in before", async () => {
    const { world, verify } = source();
    world.document = { keys: [key.jwk, other.jwk] };
    const token = await sign({}, other);
    await verify(token);
    world.document = { keys: [key.jwk] };
    world.nowMs += 601_000;
    await verify(token);
    await expect(verify(token)).rejects.toMatchObject({ code: "unauthenticated" });
  });

  it.each([null, [], {}, { keys: 1 }, { keys: Array.from({ length: 101 }, () => ({})) }])(
    "S-17: refuses %j",
    (document) => {
      expect(() => readKeySet(document)).toThrow(PenstockError);
    },
  );
});
