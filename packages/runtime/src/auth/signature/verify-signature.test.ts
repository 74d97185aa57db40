import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import { describe, expect, it } from "vitest";
import { readQuery } from "../../http/read-query.ts";
import { Secret } from "../../secrets/secret.ts";
import type { SignedRequest } from "../access.ts";
import type { AccessKey } from "../credentials/credentials.ts";
import { verifySignature } from "./verify-signature.ts";

const NOW_MS = Date.parse("2026-11-23T08:00:00Z");
const SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const KEY: AccessKey = {
  id: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: new Secret(SECRET),
  caller: { subject: "ci", roles: new Set(["operator"]), nodeId: null },
  expiresAtMs: NOW_MS + 1,
};

interface Wish {
  readonly method?: string;
  readonly path?: string;
  readonly query?: Record<string, string | string[]>;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly atMs?: number;
  readonly secret?: string;
  readonly service?: string;
  readonly applyChecksum?: boolean;
}

/** A request as an SDK makes it. */
async function signed(wish: Wish = {}): Promise<SignedRequest> {
  const path = wish.path ?? "/2015-03-31/event-source-mappings/";
  const body = wish.body ?? '{"BatchSize":10}';
  const signer = new SignatureV4({
    service: wish.service ?? "lambda",
    region: "eu-central-1",
    credentials: { accessKeyId: KEY.id, secretAccessKey: wish.secret ?? SECRET },
    sha256: Sha256,
    applyChecksum: wish.applyChecksum ?? false,
  });
  const { headers } = await signer.sign(
    {
      method: wish.method ?? "POST",
      protocol: "http:",
      hostname: "127.0.0.1",
      path,
      query: wish.query ?? {},
      headers: { host: "127.0.0.1:7480", "content-type": "application/json", ...wish.headers },
      body,
    },
    { signingDate: new Date(wish.atMs ?? NOW_MS) },
  );
  const pairs = Object.entries(wish.query ?? {}).flatMap(([name, values]) =>
    [values].flat().map((value) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`),
  );
  return {
    method: wish.method ?? "POST",
    url: pairs.length === 0 ? path : `${path}?${pairs.join("&")}`,
    headers,
    body: Buffer.from(body),
    authorization: headers.authorization,
    certificate: null,
  };
}

function verify(request: SignedRequest, keys: readonly AccessKey[] = [KEY]) {
  const accessKey = (id: string) => keys.find((key) => key.id === id);
  return verifySignature(request, { accessKey, nowMs: NOW_MS });
}

function withHeaders(request: SignedRequest, headers: Record<string, string | undefined>) {
  const merged = { ...request.headers, ...headers };
  for (const [name, value] of Object.entries(merged)) if (value === undefined) delete merged[name];
  return { ...request, headers: merged, authorization: merged.authorization };
}

describe("verifySignature", () => {
  it.each<[string, Wish]>([
    ["a create", {}],
    ["without a trailing slash", { path: "/2015-03-31/event-source-mappings" }],
    ["an empty body", { method: "GET", body: "" }],
    ["a body in UTF-8", { body: '{"FunctionName":"größe"}' }],
    ["a query", { method: "GET", body: "", query: { MaxItems: "10", FunctionName: "a b/ü+*" } }],
    ["a list in the query", { method: "DELETE", body: "", query: { tagKeys: ["b", "a", ""] } }],
    [
      "an ARN in the path",
      {
        path: `/2017-03-31/tags/${encodeURIComponent("arn:aws:lambda:eu-central-1:000000000000:event-source-mapping:a")}`,
      },
    ],
    ["a header with its hash", { applyChecksum: true }],
    ["a header with blanks", { headers: { "x-amz-meta": "  a   b " } }],
    ["a clock behind", { atMs: NOW_MS - 14 * 60_000 }],
    ["a clock ahead", { atMs: NOW_MS + 14 * 60_000 }],
    ["S-16: names of JavaScript in the query", { query: { constructor: "1", toString: "2" } }],
  ])("takes %s", async (_what, wish) => {
    await expect(verify(await signed(wish))).resolves.toBe(KEY);
  });

  it.each<[string, Wish]>([
    ["of another secret", { secret: "x".repeat(40) }],
    ["that is old", { atMs: NOW_MS - 16 * 60_000 }],
    ["of the future", { atMs: NOW_MS + 16 * 60_000 }],
    ["for another service", { service: "s3" }],
    ["of an unsigned body", { headers: { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" } }],
  ])("S-10: refuses a signature %s", async (_what, wish) => {
    await expect(verify(await signed(wish))).rejects.toMatchObject({ code: "awsSignatureInvalid" });
  });

  it("S-10: refuses whatever was changed after it was signed", async () => {
    const request = await signed({ query: { a: "1" }, applyChecksum: true });
    const hash = request.headers["x-amz-content-sha256"];
    const changed: SignedRequest[] = [
      { ...request, method: "PUT" },
      { ...request, url: request.url.replace("a=1", "a=2") },
      { ...request, url: `${request.url}&b=1` },
      { ...request, url: request.url.replace("mappings", "mapping") },
      { ...request, body: Buffer.from('{"BatchSize":11}') },
      withHeaders(request, { host: "other" }),
      withHeaders(request, { "content-type": "text/plain" }),
      withHeaders(request, { "x-amz-target": "added" }),
      withHeaders(request, { "x-amz-date": "20261123T080001Z" }),
      withHeaders(
        { ...request, body: Buffer.from("{}") },
        { "x-amz-content-sha256": String(hash) },
      ),
    ];
    for (const one of changed) {
      await expect(verify(one)).rejects.toMatchObject({ code: "awsSignatureInvalid" });
    }
  });

  it("S-10: refuses a path that is signed in another form than it comes in", async () => {
    const request = await signed();
    for (const path of [
      "/2015-03-31//event-source-mappings/",
      "//2015-03-31/event-source-mappings/",
      "/2015-03-31/./event-source-mappings/",
      "/2015-03-31/x/../event-source-mappings/",
      "/2015-03-31/event-source-mappings//",
    ]) {
      const message = "The path must be in its normal form: without //, /./ and /../.";
      await expect(verify({ ...request, url: path })).rejects.toMatchObject({
        code: "awsSignatureInvalid",
        message,
      });
    }
  });

  it("S-10: takes a plus in the query for the plus that was signed, never for a blank", async () => {
    const request = await signed({ method: "DELETE", query: { tagKeys: "a+b" } });
    const plain = { ...request, url: request.url.replace("%2B", "+") };
    await expect(verify(plain)).resolves.toBe(KEY);
    expect(readQuery(plain.url)).toEqual([["tagKeys", "a+b"]]);
    const blank = { ...request, url: request.url.replace("%2B", "%20") };
    await expect(verify(blank)).rejects.toMatchObject({ code: "awsSignatureInvalid" });
  });

  it("S-10: needs host and everything of AWS's to be signed", async () => {
    const request = await signed();
    for (const name of ["host", "x-amz-date"]) {
      const authorization = request.authorization?.replace(new RegExp(`;?${name}`), "");
      const loose = withHeaders(request, { authorization });
      await expect(verify(loose)).rejects.toMatchObject({ code: "awsSignatureInvalid" });
    }
  });

  it("S-10: refuses an unknown or expired key, and session tokens", async () => {
    const request = await signed();
    const unknown = { code: "awsKeyUnknown" };
    await expect(verify(request, [])).rejects.toMatchObject(unknown);
    await expect(verify(request, [{ ...KEY, expiresAtMs: NOW_MS }])).rejects.toMatchObject(unknown);
    const session = await signed({ headers: { "x-amz-security-token": "token" } });
    await expect(verify(session)).rejects.toMatchObject(unknown);
  });

  it.each([
    "AWS4-HMAC-SHA256",
    "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE",
    "AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=00",
    "AWS4-ECDSA-P256-SHA256 Credential=x, SignedHeaders=host, Signature=00",
    "",
  ])("says that %j is incomplete", async (authorization) => {
    const request = withHeaders(await signed(), { authorization });
    await expect(verify(request)).rejects.toMatchObject({ code: "awsSignatureIncomplete" });
  });

  it("refuses a signature in the query, no date, and escapes that are none", async () => {
    const request = await signed();
    const presigned = { ...request, url: "/?X-Amz-Signature=00" };
    await expect(verify(presigned)).rejects.toMatchObject({ code: "awsSignatureIncomplete" });
    const undated = withHeaders(request, { "x-amz-date": undefined });
    await expect(verify(undated)).rejects.toMatchObject({ code: "awsSignatureIncomplete" });
    const malformed = { ...request, url: "/?a=%zz" };
    await expect(verify(malformed)).rejects.toMatchObject({ code: "awsSignatureInvalid" });
  });

  it("I-21: no message shows a key, a signature or what would be right", async () => {
    const error = await verify(await signed({ secret: "x".repeat(40) })).catch((e: unknown) => e);
    expect(String(error)).not.toMatch(/[0-9a-f]{64}|AKIA|wJalr/);
  });
});
