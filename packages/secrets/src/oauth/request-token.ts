import { randomUUID } from "node:crypto";
import { type Clock, PenstockError } from "@penstock/core";
import type { GuardedAnswer, GuardedHttp } from "@penstock/egress";
import { secretError } from "../stores/secret-error.ts";
import type { OAuthClient } from "../values/read-oauth.ts";
import { signedAssertion } from "./signed-assertion.ts";
import { type IssuedToken, readTokenAnswer } from "./token-answer.ts";

/** What a token is asked for, apart from the client. */
export interface TokenTerms {
  /** The reference of the client's secret, for messages. */
  readonly uri: string;
  readonly scope: string | null;
  readonly audience: string | null;
}

export interface TokenRequester {
  readonly http: GuardedHttp;
  readonly clock: Clock;
  /** host:port of endpoints that may be asked over plain HTTP; a setting for development. */
  readonly plainEndpoints: ReadonlySet<string>;
}

/**
 * Asks for a token: the client credentials grant (RFC 6749, section 4.4) with the client in the Authorization header, and in the body where the endpoint
 * refuses that; or the JWT bearer grant (RFC 7523).
 *
 * @throws PenstockError `secretMalformed`, `secretUnavailable`, `addressDenied`
 */
export async function requestToken(
  requester: TokenRequester,
  client: OAuthClient,
  terms: TokenTerms,
): Promise<IssuedToken> {
  const { tokenEndpoint, grant } = client;
  assertProtected(requester, tokenEndpoint, terms.uri);
  const form = new URLSearchParams();
  if (terms.scope !== null) form.set("scope", terms.scope);
  if (terms.audience !== null) form.set("audience", terms.audience);
  let answer: GuardedAnswer;
  if (grant.kind === "clientCredentials") {
    form.set("grant_type", "client_credentials");
    const header = basicHeader(client.clientId, grant.clientSecret);
    answer = await post(requester, client, terms, form, { authorization: header });
    if (answer.status === 401) {
      form.set("client_id", client.clientId);
      form.set("client_secret", grant.clientSecret);
      answer = await post(requester, client, terms, form, {});
    }
  } else {
    form.set("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
    form.set("client_id", client.clientId);
    form.set("assertion", await assertionOf(requester, client, grant, terms));
    answer = await post(requester, client, terms, form, {});
  }
  return readTokenAnswer(terms.uri, tokenEndpoint.host, answer, requester.clock.wallMs());
}

/** Whether plain HTTP to that endpoint is allowed. */
export function isPlainEndpoint(url: URL, plainEndpoints: ReadonlySet<string>): boolean {
  return plainEndpoints.has(`${url.hostname}:${url.port === "" ? 80 : url.port}`);
}

function assertProtected(requester: TokenRequester, url: URL, uri: string): void {
  if (url.protocol === "https:" || isPlainEndpoint(url, requester.plainEndpoints)) return;
  throw secretError("secretMalformed", uri, '"oauthTokenEndpointUrl" must be an https URL');
}

async function post(
  { http }: TokenRequester,
  { tokenEndpoint, ca }: OAuthClient,
  { uri }: TokenTerms,
  form: URLSearchParams,
  headers: Readonly<Record<string, string>>,
): Promise<GuardedAnswer> {
  try {
    return await http.request({
      url: tokenEndpoint,
      method: "POST",
      headers: {
        accept: "application/json",
        "content-type": "application/x-www-form-urlencoded",
        ...headers,
      },
      body: form.toString(),
      ca,
    });
  } catch (error) {
    if (!(error instanceof PenstockError)) throw error;
    const problem = `the token endpoint: ${error.message.slice(0, -1)}`;
    if (error.code === "addressDenied") {
      throw new PenstockError("addressDenied", `Secret ${uri}: ${problem}.`, { cause: error });
    }
    throw secretError("secretUnavailable", uri, problem, error);
  }
}

async function assertionOf(
  { clock }: TokenRequester,
  { tokenEndpoint }: OAuthClient,
  grant: Extract<OAuthClient["grant"], { kind: "jwtBearer" }>,
  terms: TokenTerms,
): Promise<string> {
  try {
    return await signedAssertion({
      key: grant.key,
      subject: grant.email,
      audience: tokenEndpoint.href,
      scope: terms.scope,
      id: randomUUID(),
      nowMs: clock.wallMs(),
      expirationSeconds: grant.expirationSeconds,
    });
  } catch (error) {
    const words =
      'can\'t sign with "oauthPrivateKey" (RSA of 2048 bits or more, P-256, P-384, P-521 or Ed25519)';
    throw secretError("secretMalformed", terms.uri, words, error);
  }
}

/** RFC 6749, section 2.3.1: both parts are form-encoded first. */
function basicHeader(id: string, secret: string): string {
  const encode = (text: string): string => new URLSearchParams({ _: text }).toString().slice(2);
  return `Basic ${Buffer.from(`${encode(id)}:${encode(secret)}`).toString("base64")}`;
}
