import { type KeyObject, sign, verify } from "node:crypto";

/** JSON Web Tokens by node:crypto alone (RS256): a second opinion beside the library of the services. */
export type Claims = Readonly<Record<string, unknown>>;

export function signToken(key: KeyObject, keyId: string, claims: Claims): string {
  const head = `${part({ alg: "RS256", typ: "JWT", kid: keyId })}.${part(claims)}`;
  return `${head}.${sign("sha256", Buffer.from(head), key).toString("base64url")}`;
}

/** The claims of a token with a good signature; null of any other. */
export function readToken(key: KeyObject, token: string): Claims | null {
  const [head = "", body = "", signature = ""] = token.split(".");
  const signed = Buffer.from(`${head}.${body}`);
  const algorithm = decode(head).alg;
  if (algorithm !== "RS256") return null;
  return verify("sha256", signed, key, Buffer.from(signature, "base64url")) ? decode(body) : null;
}

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function decode(text: string): Claims {
  return JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as Claims;
}
