import { PenstockError } from "@penstock/core";
import { concealed } from "../cache/secret-value.ts";
import type { OAuthClient } from "../values/read-oauth.ts";
import { requestToken, type TokenRequester, type TokenTerms } from "./request-token.ts";

/**
 * The token of one client for one set of terms: asked for when somebody needs it, used for three quarters of its life, asked for again when the brokers
 * refused it or the client's secret changed. While the endpoint is away, an unexpired token stays in use.
 */
const FRESH_SHARE = 0.75;
/** A token about to expire would be refused on its way. */
const END_OF_LIFE_MS = 5_000;
/** The endpoint is not asked again sooner, after a failure or for a token that was refused. */
const PAUSE_MS = 1_000;

interface Held {
  readonly token: string;
  readonly lifetimeMs: number;
  readonly obtainedAtMs: number;
  readonly clientVersion: string;
}

export class TokenSource {
  readonly #requester: TokenRequester;
  readonly #terms: TokenTerms;
  #held: Held | null = null;
  #isRefused = false;
  #failure: { error: PenstockError; atMs: number; clientVersion: string } | null = null;
  #asking: { clientVersion: string; answer: Promise<string> } | null = null;

  constructor(requester: TokenRequester, terms: TokenTerms) {
    this.#requester = requester;
    this.#terms = terms;
  }

  /**
   * @param clientVersion changes when the client's secret does
   * @throws PenstockError `secretMalformed`, `secretUnavailable`, `addressDenied`
   */
  async token(client: OAuthClient, clientVersion: string): Promise<string> {
    const nowMs = this.#requester.clock.nowMs();
    const held = this.#held?.clientVersion === clientVersion ? this.#held : null;
    if (held !== null && this.#isFresh(held, nowMs)) return held.token;
    const failure = this.#failure;
    if (failure?.clientVersion === clientVersion && nowMs - failure.atMs < PAUSE_MS) {
      if (held !== null && isAlive(held, nowMs)) return held.token;
      throw failure.error;
    }
    if (this.#asking?.clientVersion === clientVersion) return await this.#asking.answer;
    const asking = { clientVersion, answer: this.#ask(client, clientVersion, held) };
    this.#asking = asking;
    try {
      return await asking.answer;
    } finally {
      if (this.#asking === asking) this.#asking = null;
    }
  }

  refused(): void {
    this.#isRefused = true;
  }

  #isFresh(held: Held, nowMs: number): boolean {
    const ageMs = nowMs - held.obtainedAtMs;
    if (this.#isRefused) return ageMs < PAUSE_MS;
    return ageMs < held.lifetimeMs * FRESH_SHARE;
  }

  async #ask(client: OAuthClient, clientVersion: string, held: Held | null): Promise<string> {
    const { clock } = this.#requester;
    this.#isRefused = false;
    try {
      const { token, lifetimeMs } = await requestToken(this.#requester, client, this.#terms);
      this.#failure = null;
      this.#held = concealed({ token, lifetimeMs, obtainedAtMs: clock.nowMs(), clientVersion });
      return token;
    } catch (error) {
      if (!(error instanceof PenstockError)) throw error;
      this.#failure = { error, atMs: clock.nowMs(), clientVersion };
      if (held !== null && error.code === "secretUnavailable" && isAlive(held, clock.nowMs())) {
        return held.token;
      }
      throw error;
    }
  }
}

function isAlive(held: Held, nowMs: number): boolean {
  return nowMs - held.obtainedAtMs < held.lifetimeMs - END_OF_LIFE_MS;
}
