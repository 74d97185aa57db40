/**
 * One SASL exchange with a broker, for a new connection or to extend the session of an old one (KIP-368).
 *
 *   handshake (mechanism) ─▶ the mechanism's messages ─▶ authenticated until the session ends
 *
 * Our own and not the client library's, whose SCRAM trusts any iteration count and whose re-authentication lets other requests in between, which
 * brokers answer by hanging up. Nothing that a broker says is repeated in an error, except names of mechanisms.
 */
import { randomBytes } from "node:crypto";
import { PenstockError, type SaslCredentials } from "@penstock/core";
import { offers } from "./mechanism-names.ts";
import { Scram, ScramFault } from "./scram.ts";

export interface SaslWire {
  handshake(
    mechanism: string,
  ): Promise<{ readonly errorCode: number; readonly mechanisms: readonly string[] }>;
  authenticate(message: Buffer): Promise<{
    readonly errorCode: number;
    readonly authBytes: Buffer;
    readonly sessionLifetimeMs: bigint;
  }>;
}

const UNSUPPORTED_SASL_MECHANISM = 33;
const ILLEGAL_SASL_STATE = 34;
const NONCE_BYTES = 24;
/** RFC 7628: what ends an exchange that the server has refused. */
const REFUSAL_RECEIVED = Buffer.from([1]);

/** How long the session lasts in ms, 0 = for ever. Rejects with kafkaAuthentication, kafkaProtocolMismatch, or what the wire rejects with. */
export async function authenticate(
  wire: SaslWire,
  credentials: SaslCredentials,
  broker: string,
): Promise<number> {
  const { mechanism } = credentials;
  const { errorCode, mechanisms } = await wire.handshake(mechanism);
  if (errorCode !== 0) throw notOffered(errorCode, mechanism, mechanisms, broker);
  const say = async (message: Buffer | string) => {
    const answer = await wire.authenticate(Buffer.from(message));
    if (answer.errorCode !== 0) throw refused(mechanism, broker);
    return answer;
  };
  if (mechanism === "PLAIN") {
    const { username, password } = credentials;
    return lifetime(await say(`\0${username}\0${password}`));
  }
  if (mechanism === "OAUTHBEARER") {
    const answer = await say(bearer(credentials));
    if (answer.authBytes.length === 0) return lifetime(answer);
    await say(REFUSAL_RECEIVED);
    throw refused(mechanism, broker);
  }
  const { username, password } = credentials;
  const hash = mechanism === "SCRAM-SHA-256" ? "sha256" : "sha512";
  const nonce = randomBytes(NONCE_BYTES).toString("base64url");
  const scram = new Scram({ hash, username, password, nonce });
  try {
    const { authBytes } = await say(scram.first());
    const last = await say(await scram.final(String(authBytes)));
    scram.verify(String(last.authBytes));
    return lifetime(last);
  } catch (error) {
    if (!(error instanceof ScramFault)) throw error;
    throw new PenstockError(
      "kafkaAuthentication",
      `The SCRAM exchange with ${broker} was ended: ${error.message}.`,
      { cause: error },
    );
  }
}

/** Throws PenstockError(secretMalformed) for what can't be said in SASL. */
export function checkSasl(credentials: SaslCredentials): void {
  if (credentials.mechanism !== "OAUTHBEARER") {
    const { username, password } = credentials;
    if (username === "" || password === "" || /\0/.test(username + password))
      throw malformed("a username and a password, neither empty nor with a NUL byte");
    return;
  }
  if (!/^[A-Za-z0-9._~+/-]+=*$/.test(credentials.token)) throw malformed("a bearer token");
  for (const [key, value] of Object.entries(credentials.extensions))
    if (!/^[A-Za-z]+$/.test(key) || key === "auth" || !/^[\x20-\x7e\t\r\n]*$/.test(value))
      throw malformed("SASL extensions with names of letters and values of printable ASCII");
}

function bearer({
  token,
  extensions,
}: Extract<SaslCredentials, { mechanism: "OAUTHBEARER" }>): string {
  const pairs = Object.entries(extensions).map(([key, value]) => `\x01${key}=${value}`);
  return `n,,\x01auth=Bearer ${token}${pairs.join("")}\x01\x01`;
}

function lifetime({ sessionLifetimeMs }: { sessionLifetimeMs: bigint }): number {
  return sessionLifetimeMs > 0n ? Number(sessionLifetimeMs) : 0;
}

function refused(mechanism: string, broker: string): PenstockError {
  const what =
    mechanism === "OAUTHBEARER"
      ? "the token; check its issuer, audience, scope and lifetime"
      : "the username or password; correct the secret or the user on the brokers";
  return new PenstockError("kafkaAuthentication", `${broker} refused ${what} (SASL ${mechanism}).`);
}

function notOffered(
  errorCode: number,
  mechanism: string,
  mechanisms: readonly string[],
  broker: string,
): PenstockError {
  if (errorCode === ILLEGAL_SASL_STATE)
    return new PenstockError(
      "kafkaProtocolMismatch",
      `${broker} does no SASL; use the port of its SASL listener, or remove the authentication.`,
    );
  return new PenstockError(
    "kafkaAuthentication",
    `${broker} does not offer the SASL mechanism ${mechanism}${errorCode === UNSUPPORTED_SASL_MECHANISM ? offers(mechanisms) : ""}.`,
  );
}

function malformed(what: string): PenstockError {
  return new PenstockError("secretMalformed", `The secret does not hold ${what}.`);
}
