/**
 * Bearer tokens that an issuer signed: signature, issuer, audience and times are checked, roles are read from a claim.
 *
 * What is always true: only asymmetric algorithms of the configured list are accepted; a token without `sub` or `exp` is not; a result is
 * kept no longer than the token lives and the key set stays the same, and no more than a few thousand are kept.
 */
import { PenstockError } from "@penstock/core";
import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import type { Admission } from "../access.ts";
import { type Caller, NODE_SERVICES, ROLES } from "../caller.ts";
import type { KeySets } from "./key-sets.ts";

export interface JwtVerifierOptions {
  readonly issuer: string;
  readonly audience: string;
  readonly algorithms: readonly string[];
  /** Name of the claim; dots lead into objects, such as `realm_access.roles`. */
  readonly rolesClaim: string;
  readonly keys: KeySets;
  /** Wall clock. */
  readonly nowMs: () => number;
}

/** How far the issuer's clock and ours may be apart. */
const CLOCK_SKEW_SECONDS = 60;
const CACHED_MAX = 5_000;
const SUBJECT_LENGTH_MAX = 200;
/** It goes into logs, events, the audit and error texts, where these would break lines or be no text at all. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

interface Verified {
  readonly admission: Admission;
  readonly expiresAtMs: number;
  /** What it was verified with: another set may lack its key. */
  readonly keys: JWTVerifyGetKey;
}

export class JwtVerifier {
  readonly #options: JwtVerifierOptions;
  /** By the token's digest, oldest first. */
  readonly #verified = new Map<string, Verified>();

  constructor(options: JwtVerifierOptions) {
    this.#options = options;
  }

  /**
   * @param digest of the token, any text that no other token has
   * @throws PenstockError `unauthenticated`, or `unavailable` while there are no keys
   */
  async verify(token: string, digest: string): Promise<Admission> {
    const keys = await this.#options.keys.current();
    const known = this.#verified.get(digest);
    if (known !== undefined) {
      if (known.keys === keys && this.#options.nowMs() < known.expiresAtMs) return known.admission;
      this.#verified.delete(digest);
    }
    const payload = await this.#check(token, keys);
    const expiresAtMs = ((payload.exp ?? 0) + CLOCK_SKEW_SECONDS) * 1000;
    const admission: Admission = {
      caller: callerOf(payload, this.#options.rolesClaim),
      isGood: () => this.#options.nowMs() < expiresAtMs,
    };
    for (const oldest of this.#verified.keys()) {
      if (this.#verified.size < CACHED_MAX) break;
      this.#verified.delete(oldest);
    }
    this.#verified.set(digest, { admission, expiresAtMs, keys });
    return admission;
  }

  async #check(token: string, keys: JWTVerifyGetKey): Promise<JWTPayload> {
    try {
      return await this.#checkWith(token, keys);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw refused(error);
    }
    const newer = await this.#options.keys.newer();
    if (newer === null) throw refused(new errors.JWKSNoMatchingKey());
    return this.#checkWith(token, newer).catch((error: unknown) => {
      throw refused(error);
    });
  }

  async #checkWith(token: string, key: JWTVerifyGetKey): Promise<JWTPayload> {
    const { issuer, audience, algorithms, nowMs } = this.#options;
    const { payload } = await jwtVerify(token, key, {
      issuer,
      audience,
      algorithms: [...algorithms],
      clockTolerance: CLOCK_SKEW_SECONDS,
      requiredClaims: ["exp", "sub"],
      currentDate: new Date(nowMs()),
    });
    return payload;
  }
}

/** What jose says of a token names claims and rules, and no value of it. */
function refused(error: unknown): PenstockError {
  if (error instanceof PenstockError) return error;
  if (error instanceof errors.JWTExpired) {
    return new PenstockError("unauthenticated", "The token has expired.", { cause: error });
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    const message = `The token is refused: its claim "${error.claim}" does not fit.`;
    return new PenstockError("unauthenticated", message, { cause: error });
  }
  return new PenstockError("unauthenticated", "The token is refused.", { cause: error });
}

function callerOf(payload: JWTPayload, rolesClaim: string): Caller {
  const subject = payload.sub ?? "";
  if (subject === "" || subject.length > SUBJECT_LENGTH_MAX) {
    throw new PenstockError(
      "unauthenticated",
      `The token's "sub" must have 1 to ${SUBJECT_LENGTH_MAX} characters.`,
    );
  }
  if (UNPRINTABLE.test(subject)) {
    const message = 'The token\'s "sub" must not have control characters or halves of characters.';
    throw new PenstockError("unauthenticated", message);
  }
  const roles = new Set(namesIn(claimAt(payload, rolesClaim), ROLES));
  const services = new Set(namesIn(claimAt(payload, "penstock_service"), NODE_SERVICES));
  const nodeId = claimAt(payload, "penstock_node_id");
  // A node credential says for which service it is.
  if (services.size === 0) roles.delete("node");
  const isNode = roles.has("node");
  return {
    subject: `jwt:${subject}`,
    roles,
    nodeId: isNode && typeof nodeId === "string" && UUID.test(nodeId) ? nodeId.toLowerCase() : null,
    ...(isNode && { nodeServices: services }),
  };
}

/** A list of names, or names separated by blanks; what is no name of Penstock is somebody else's. */
function namesIn<T extends string>(claim: unknown, known: readonly T[]): T[] {
  const names: readonly unknown[] =
    typeof claim === "string" ? claim.split(/\s+/) : Array.isArray(claim) ? claim : [];
  return known.filter((name) => names.includes(name));
}

function claimAt(payload: JWTPayload, path: string): unknown {
  let value: unknown = payload;
  // A claim whose own name has dots, such as a URL, goes first.
  if (Object.hasOwn(payload, path)) return payload[path];
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name))
      return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}
