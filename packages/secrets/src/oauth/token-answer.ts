import type { GuardedAnswer } from "@penstock/egress";
import { decodeJwt } from "jose";
import { secretError } from "../stores/secret-error.ts";

/** A token as the endpoint gave it. */
export interface IssuedToken {
  readonly token: string;
  readonly lifetimeMs: number;
}

/** Kafka's frame for it has room for more; no identity provider makes longer ones. */
const TOKEN_LENGTH_MAX = 64 * 1024;
const LIFETIME_MS_MAX = 24 * 3600 * 1000;
/** Where the answer does not say and the token can't be read. */
const LIFETIME_MS_DEFAULT = 60_000;
/** RFC 6749, section 5.2. Other words of an endpoint are not repeated: it knows the secret. */
const REASONS = [
  "invalid_request",
  "invalid_client",
  "invalid_grant",
  "unauthorized_client",
  "unsupported_grant_type",
  "invalid_scope",
];

/**
 * @param uri the reference of the secret, for messages
 * @throws PenstockError `secretMalformed` when the endpoint refuses the client, `secretUnavailable` when it fails
 */
export function readTokenAnswer(
  uri: string,
  origin: string,
  answer: GuardedAnswer,
  wallMs: number,
): IssuedToken {
  const { status } = answer;
  const members = parse(answer.body);
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
    const reason = REASONS.find((known) => known === members?.error) ?? `status ${status}`;
    throw secretError(
      "secretMalformed",
      uri,
      `the token endpoint ${origin} refuses the client (${reason})`,
    );
  }
  if (status !== 200) {
    const words =
      status >= 300 && status < 400
        ? `redirects (status ${status}), which is not followed`
        : `answers with status ${status}`;
    throw secretError("secretUnavailable", uri, `the token endpoint ${origin} ${words}`);
  }
  const token = members?.access_token;
  const type = members?.token_type;
  if (
    typeof token !== "string" ||
    token.length > TOKEN_LENGTH_MAX ||
    !/^[\x21-\x7e]+$/.test(token) ||
    (typeof type === "string" && type.toLowerCase() !== "bearer")
  ) {
    throw secretError(
      "secretUnavailable",
      uri,
      `the token endpoint ${origin} gives no bearer token (RFC 6749, section 5.1)`,
    );
  }
  return { token, lifetimeMs: lifetimeOf(token, members?.expires_in, wallMs) };
}

function lifetimeOf(token: string, expiresIn: unknown, wallMs: number): number {
  const seconds = Number(expiresIn);
  const stated = expiresIn !== undefined && seconds > 0 ? seconds * 1000 : expiryOf(token, wallMs);
  return Math.min(LIFETIME_MS_MAX, Math.max(0, stated ?? LIFETIME_MS_DEFAULT));
}

function expiryOf(token: string, wallMs: number): number | null {
  try {
    const { exp } = decodeJwt(token);
    return exp === undefined ? null : exp * 1000 - wallMs;
  } catch {
    // An opaque token: it says nothing of its end.
    return null;
  }
}

function parse(body: Buffer): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    const isObject = value !== null && typeof value === "object" && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    // The parser's message quotes the answer.
    return null;
  }
}
