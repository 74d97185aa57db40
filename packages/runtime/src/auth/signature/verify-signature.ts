/**
 * Verifies AWS Signature Version 4 of one request, by signing it again with the same key and comparing.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 *
 *     parse header ─▶ key known? ─▶ time within 15 min ─▶ what must be signed is ─▶ body as its hash says ─▶ same signature?
 *
 * Refused: signatures in the query, session tokens, unsigned and chunked bodies: Lambda's clients don't send them. Like AWS's own, a signed request
 * can be repeated within those 15 minutes by whoever has seen it: use TLS.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { Sha256 } from "@aws-crypto/sha256-js";
import { PenstockError } from "@penstock/core";
import { SignatureV4 } from "@smithy/signature-v4";
import { readQuery } from "../../http/read-query.ts";
import type { SignedRequest } from "../access.ts";
import type { AccessKey } from "../credentials/credentials.ts";
import { type AwsAuthorization, parseAwsAuthorization } from "./aws-authorization.ts";

export interface SignatureRules {
  readonly accessKey: (id: string) => AccessKey | undefined;
  /** Wall clock. */
  readonly nowMs: number;
}

const SKEW_MS_MAX = 15 * 60_000;
const SERVICE = "lambda";
const BODY_HASH = "x-amz-content-sha256";
const MISMATCH =
  "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
const UNKNOWN_KEY = "The security token included in the request is invalid.";

/** The key that signed. @throws PenstockError with AWS's codes and texts */
export async function verifySignature(
  request: SignedRequest,
  rules: SignatureRules,
): Promise<AccessKey> {
  checkPath(request.url);
  const query = queryOf(request.url);
  if (Object.keys(query).some((name) => name.toLowerCase() === "x-amz-signature")) {
    throw incomplete(
      "Signatures in the query are not supported; sign with the Authorization header.",
    );
  }
  const authorization = parseAwsAuthorization(request.authorization ?? "");
  const key = rules.accessKey(authorization.accessKeyId);
  const isExpired = key !== undefined && key.expiresAtMs !== null && key.expiresAtMs <= rules.nowMs;
  // Session tokens come from STS, which is not here.
  const isSession = request.headers["x-amz-security-token"] !== undefined;
  if (key === undefined || isExpired || isSession)
    throw new PenstockError("awsKeyUnknown", UNKNOWN_KEY);
  const signedAt = readDate(request.headers, authorization, rules.nowMs);
  checkSignedHeaders(request.headers, authorization);
  const expected = await sign(request, query, {
    authorization,
    key,
    signedAt,
    bodyHash: hashOfBody(request),
  });
  const given = Buffer.from(authorization.signature);
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    throw invalid(MISMATCH);
  return key;
}

interface Signing {
  readonly authorization: AwsAuthorization;
  readonly key: AccessKey;
  readonly signedAt: Date;
  readonly bodyHash: string;
}

async function sign(
  request: SignedRequest,
  query: Record<string, string[]>,
  { authorization, key, signedAt, bodyHash }: Signing,
): Promise<Buffer> {
  const headers: Record<string, string> = {};
  for (const name of authorization.signedHeaders) headers[name] = String(request.headers[name]);
  const signsHash = Object.hasOwn(headers, BODY_HASH);
  headers[BODY_HASH] = bodyHash;
  const signer = new SignatureV4({
    service: authorization.service,
    region: authorization.region,
    credentials: {
      accessKeyId: key.id,
      secretAccessKey: key.secretAccessKey.reveal(),
    },
    sha256: Sha256,
    applyChecksum: false,
  });
  const signed = await signer.sign(
    {
      method: request.method,
      protocol: "https:",
      hostname: headers.host ?? "",
      path: request.url.split("?", 1)[0] ?? "/",
      query,
      headers,
    },
    {
      signingDate: signedAt,
      // What the client has signed, even what the SDKs leave out; the hash only reaches the library this way.
      signableHeaders: new Set(authorization.signedHeaders),
      unsignableHeaders: new Set(signsHash ? [] : [BODY_HASH]),
    },
  );
  return Buffer.from(parseAwsAuthorization(signed.headers.authorization ?? "").signature);
}

/** A list for each name, so that no name of the client (`__proto__`) means anything. */
function queryOf(url: string): Record<string, string[]> {
  const query: Record<string, string[]> = Object.create(null);
  for (const [name, value] of pairsOf(url)) {
    const values = query[name];
    if (values === undefined) query[name] = [value];
    else values.push(value);
  }
  return query;
}

function pairsOf(url: string): [string, string][] {
  try {
    return readQuery(url);
  } catch (cause) {
    if (!(cause instanceof PenstockError)) throw cause;
    throw new PenstockError("awsSignatureInvalid", cause.message, { cause });
  }
}

/** A path is signed in its normal form: one in another form would be acted on as it came, which nobody has signed. */
function checkPath(url: string): void {
  const [, ...segments] = (url.split("?", 1)[0] ?? "").split("/");
  // One slash at the end is kept.
  if (segments.at(-1) === "") segments.pop();
  if (!segments.some((segment) => ["", ".", ".."].includes(segment))) return;
  throw invalid("The path must be in its normal form: without //, /./ and /../.");
}

function readDate(
  headers: IncomingHttpHeaders,
  { date, service }: AwsAuthorization,
  nowMs: number,
): Date {
  const text = headers["x-amz-date"];
  const digits =
    typeof text === "string" ? /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) : null;
  if (digits === null) {
    throw incomplete(
      "Authorization header requires existence of an 'X-Amz-Date' header such as 20261231T235959Z.",
    );
  }
  const [, year, month, day, hour, minute, second] = digits;
  const signedAt = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  const skewMs = signedAt.getTime() - nowMs;
  if (Number.isNaN(skewMs)) throw invalid("X-Amz-Date is no time.");
  if (skewMs < -SKEW_MS_MAX)
    throw invalid(`Signature expired: ${text} is more than 15 min. before the present time.`);
  if (skewMs > SKEW_MS_MAX)
    throw invalid(
      `Signature not yet current: ${text} is more than 15 min. after the present time.`,
    );
  if (`${year}${month}${day}` !== date)
    throw invalid(
      "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.",
    );
  if (service !== SERVICE)
    throw invalid(`Credential should be scoped to correct service: '${SERVICE}'.`);
  return signedAt;
}

/** The host and everything of AWS's must be signed, or it could be changed on the way. */
function checkSignedHeaders(
  headers: IncomingHttpHeaders,
  { signedHeaders }: AwsAuthorization,
): void {
  const signed = new Set(signedHeaders);
  for (const name of signed) {
    if (!Object.hasOwn(headers, name))
      throw invalid(`The signed header '${name}' is not in the request.`);
  }
  for (const name of ["host", ...Object.keys(headers)]) {
    const isNeeded = name === "host" || (name.startsWith("x-amz-") && name !== BODY_HASH);
    if (isNeeded && !signed.has(name))
      throw invalid(`'${name}' must be a 'SignedHeader' in the AWS Authorization.`);
  }
}

function hashOfBody({ headers, body }: SignedRequest): string {
  const hash = createHash("sha256").update(body).digest("hex");
  const said = headers[BODY_HASH];
  if (said === undefined || said === hash) return hash;
  const isHash = typeof said === "string" && /^[0-9a-f]{64}$/.test(said);
  throw invalid(
    isHash
      ? "The provided 'x-amz-content-sha256' header does not match what was computed."
      : "The body must be signed: 'x-amz-content-sha256' must be its SHA-256.",
  );
}

function incomplete(message: string): PenstockError {
  return new PenstockError("awsSignatureIncomplete", message);
}

function invalid(message: string): PenstockError {
  return new PenstockError("awsSignatureInvalid", message);
}
