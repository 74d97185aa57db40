/**
 * The key set (JWKS) that signatures of JSON Web Tokens are checked with: from a URL, or from a file.
 *
 * From a URL it is fetched when it is first needed, when it has grown old, and when a token names a key that isn't there; no more often than
 * each 30 s whatever tokens come. When the issuer is away the last set stays in use.
 */
import { PenstockError } from "@penstock/core";
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import type { Logger } from "../../logs/logger.ts";

/** Gets a JSON document over HTTP, behind the address guard and bounded in size and time. */
export type FetchJson = (url: string) => Promise<unknown>;

export interface KeySets {
  /** The present set. @throws PenstockError `unavailable` while there is none */
  current(): Promise<JWTVerifyGetKey>;
  /** A key was missing: another set if there may be a newer one, else null. */
  newer(): Promise<JWTVerifyGetKey | null>;
}

const AGE_MS_MAX = 10 * 60_000;
const COOL_DOWN_MS = 30_000;
const KEYS_MAX = 100;

export interface RemoteKeySetOptions {
  readonly url: string;
  readonly fetchJson: FetchJson;
  readonly nowMs: () => number;
  readonly log: Logger;
}

export function remoteKeySet(options: RemoteKeySetOptions): KeySets {
  const { url, fetchJson, nowMs, log } = options;
  let keys: JWTVerifyGetKey | null = null;
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | null = null;

  async function ask(): Promise<void> {
    askedAtMs = nowMs();
    try {
      keys = readKeySet(await fetchJson(url));
    } catch (error) {
      log.warn("the key set for JSON Web Tokens was not fetched", { url, error });
    } finally {
      asking = null;
    }
  }

  const refresh = (): Promise<void> => (asking ??= ask());

  return {
    async current() {
      const ageMs = nowMs() - askedAtMs;
      // An old set serves on while the next one comes: nobody waits for the issuer but the first.
      if (keys !== null && ageMs >= AGE_MS_MAX) void refresh();
      if (keys === null && (ageMs >= COOL_DOWN_MS || asking !== null)) await refresh();
      if (keys !== null) return keys;
      throw new PenstockError("unavailable", "The keys of the token issuer can't be fetched now.");
    },
    async newer() {
      if (nowMs() - askedAtMs < COOL_DOWN_MS && asking === null) return null;
      const before = keys;
      await refresh();
      return keys === before ? null : keys;
    },
  };
}

/** @throws PenstockError `invalidArgument` when it is no key set */
export function readKeySet(document: unknown): JWTVerifyGetKey {
  const keys = (document as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys) || keys.length > KEYS_MAX) {
    throw new PenstockError("invalidArgument", `A key set must have at most ${KEYS_MAX} "keys".`);
  }
  // Symmetric keys have no place in a set that is published.
  const usable = keys.filter((key) => (key as { kty?: unknown } | null)?.kty !== "oct");
  try {
    return createLocalJWKSet({ keys: usable } as JSONWebKeySet);
  } catch (cause) {
    throw new PenstockError("invalidArgument", "The key set can't be read.", { cause });
  }
}
