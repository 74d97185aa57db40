import { generateKeyPairSync, type KeyObject, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { type Claims, readToken, signToken } from "./json-web-token.ts";

/**
 * A small OAuth issuer on this machine: a token endpoint for the client credentials grant (RFC 6749, section 4.4) and the JWT bearer grant (RFC 7523), and
 * the key set that Kafka brokers verify its tokens with. RS256; the claims that Kafka's validator asks for (`iss`, `sub`, `aud`, `scope`, `iat`, `exp`).
 */
export interface OAuthIssuerOptions {
  /** Speaks https with this identity; else http. */
  readonly tls?: { readonly certificate: string; readonly privateKey: string };
  /** Host in its URLs: a name that the certificate has. Default localhost; it listens at 127.0.0.1. */
  readonly host?: string;
  readonly lifetimeSeconds?: number;
  /** Whether the client may come in the Authorization header (default), or in the body only. */
  readonly takesHeader?: boolean;
}

export interface OAuthIssuer {
  readonly url: string;
  readonly port: number;
  readonly tokenEndpoint: string;
  readonly jwksEndpoint: string;
  /** Secrets by client id: change it to rotate. */
  readonly clients: Map<string, string>;
  /** Public keys by the subject of an assertion. */
  readonly assertionKeys: Map<string, KeyObject>;
  /** Lifetime of the tokens from now on. */
  lifetimeSeconds: number;
  /** Form fields of each token request, without secrets and assertions. */
  readonly requests: readonly Readonly<Record<string, string>>[];
  /** Claims of each token given out. */
  readonly issued: readonly Claims[];
  /** Answers token requests instead of the issuer; null = the issuer answers. */
  misbehave: ((request: IncomingMessage, response: ServerResponse) => void) | null;
  /** The claims of a token of this issuer; null of any other. */
  verify(token: string): Claims | null;
  close(): Promise<void>;
}

const LIFETIME_SECONDS_DEFAULT = 3_600;
const BODY_BYTES_MAX = 64 * 1024;
const ASSERTION_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";

export async function startOAuthIssuer(options: OAuthIssuerOptions = {}): Promise<OAuthIssuer> {
  const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const keyId = randomUUID();
  const requests: Readonly<Record<string, string>>[] = [];
  const issued: Claims[] = [];
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.method === "GET" && request.url === "/jwks") {
      const key = {
        ...keys.publicKey.export({ format: "jwk" }),
        kid: keyId,
        alg: "RS256",
        use: "sig",
      };
      answer(response, 200, { keys: [key] });
    } else if (request.method === "POST" && request.url === "/token") {
      if (issuer.misbehave !== null) issuer.misbehave(request, response);
      else void readForm(request).then((form) => giveToken(request, response, form));
    } else {
      answer(response, 404, { error: "invalid_request" });
    }
  };
  const { tls } = options;
  const server =
    tls === undefined
      ? createServer(serve)
      : createTlsServer({ cert: tls.certificate, key: tls.privateKey }, serve);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const url = `${tls === undefined ? "http" : "https"}://${options.host ?? "localhost"}:${port}`;

  const issuer: OAuthIssuer = {
    url,
    port,
    tokenEndpoint: `${url}/token`,
    jwksEndpoint: `${url}/jwks`,
    clients: new Map(),
    assertionKeys: new Map(),
    lifetimeSeconds: options.lifetimeSeconds ?? LIFETIME_SECONDS_DEFAULT,
    requests,
    issued,
    misbehave: null,
    verify: (token) => readToken(keys.publicKey, token),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  function giveToken(request: IncomingMessage, response: ServerResponse, form: URLSearchParams) {
    const { client_secret: _secret, assertion: _assertion, ...shown } = Object.fromEntries(form);
    requests.push(shown);
    const subject =
      form.get("grant_type") === ASSERTION_GRANT
        ? subjectOfAssertion(form.get("assertion") ?? "")
        : clientOf(request, form);
    if (subject === null) {
      answer(response, 401, { error: "invalid_client" });
      return;
    }
    const nowSeconds = Math.floor(Date.now() / 1000);
    const claims = {
      iss: url,
      sub: subject,
      aud: form.get("audience") ?? "kafka",
      scope: form.get("scope") ?? "kafka",
      jti: randomUUID(),
      iat: nowSeconds,
      exp: nowSeconds + issuer.lifetimeSeconds,
    };
    issued.push(claims);
    answer(response, 200, {
      access_token: signToken(keys.privateKey, keyId, claims),
      token_type: "Bearer",
      expires_in: issuer.lifetimeSeconds,
    });
  }

  function clientOf(request: IncomingMessage, form: URLSearchParams): string | null {
    if (form.get("grant_type") !== "client_credentials") return null;
    const inHeader = options.takesHeader === false ? null : basicClient(request);
    const id = inHeader?.id ?? form.get("client_id") ?? "";
    const secret = inHeader?.secret ?? form.get("client_secret") ?? "";
    const expected = issuer.clients.get(id);
    return expected !== undefined && expected === secret ? id : null;
  }

  function subjectOfAssertion(assertion: string): string | null {
    for (const [subject, key] of issuer.assertionKeys) {
      const claims = readToken(key, assertion);
      if (claims === null || claims.sub !== subject || claims.iss !== subject) continue;
      const isAlive = Number(claims.exp) * 1000 > Date.now();
      return isAlive && claims.aud === issuer.tokenEndpoint ? subject : null;
    }
    return null;
  }

  return issuer;
}

function basicClient(request: IncomingMessage): { id: string; secret: string } | null {
  const match = /^Basic ([A-Za-z0-9+/=]+)$/.exec(request.headers.authorization ?? "");
  if (match === null) return null;
  const [id = "", secret = ""] = Buffer.from(match[1] ?? "", "base64")
    .toString()
    .split(":");
  const decode = (text: string): string => decodeURIComponent(text.replaceAll("+", " "));
  return { id: decode(id), secret: decode(secret) };
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  let text = "";
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > BODY_BYTES_MAX) break;
  }
  return new URLSearchParams(text);
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(body));
}
