import { PenstockError } from "@penstock/core";
import { Client } from "undici";
import type { AddressGuard } from "../address/address-guard.ts";
import { createGuardedConnect } from "../address/guarded-connect.ts";
import { collectAnswer } from "./collect-answer.ts";
import { toHttpError } from "./http-error.ts";

/**
 * A small HTTP client for the few services that Penstock itself asks: token endpoints, key sets, Vault, Secrets Manager.
 *
 * Always true: the address guard judges what is dialled; TLS is verified, 1.2 or newer; no redirect is followed (a 3xx is an answer like any
 * other); the whole exchange has one deadline; the answer has a limit; no proxy variable is read. One connection for each request: these are
 * rare, and the roots may differ.
 */
export interface GuardedHttp {
  /**
   * Any status is an answer.
   *
   * @throws PenstockError `addressDenied` (the guard, or plain HTTP where it is not allowed), `deadlineExceeded`, `unavailable` (no connection, TLS,
   * broken or too large an answer). Messages name the origin, never path, headers or body.
   */
  request(request: GuardedRequest): Promise<GuardedAnswer>;
}

export interface GuardedRequest {
  readonly url: string | URL;
  readonly method?: "GET" | "POST" | "PUT" | "DELETE" | "HEAD";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | null;
  /** Roots in PEM to verify with, instead of the system's. */
  readonly ca?: string | null;
  readonly signal?: AbortSignal | undefined;
}

export interface GuardedAnswer {
  readonly status: number;
  /** Names in lower case; the values of a repeated header joined by ", ". */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface GuardedHttpOptions {
  readonly guard: AddressGuard;
  /** Whether `http:` may be spoken to that origin. Default: never. */
  readonly allowPlainHttp?: (url: URL) => boolean;
  /** Deadline of the whole exchange. */
  readonly timeoutMs?: number;
  readonly connectTimeoutMs?: number;
  readonly answerBytesMax?: number;
  /** Requests under way at once; more fail at once. */
  readonly requestsMax?: number;
}

const TIMEOUT_MS_DEFAULT = 10_000;
const CONNECT_TIMEOUT_MS_DEFAULT = 5_000;
const ANSWER_BYTES_MAX_DEFAULT = 256 * 1024;
const HEADER_BYTES_MAX = 16 * 1024;
const REQUESTS_MAX_DEFAULT = 64;

export function createGuardedHttp(options: GuardedHttpOptions): GuardedHttp {
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS_DEFAULT;
  const connectTimeoutMs = Math.min(
    timeoutMs,
    options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS_DEFAULT,
  );
  const answerBytesMax = options.answerBytesMax ?? ANSWER_BYTES_MAX_DEFAULT;
  const requestsMax = options.requestsMax ?? REQUESTS_MAX_DEFAULT;
  let underWay = 0;

  async function request(asked: GuardedRequest): Promise<GuardedAnswer> {
    const url = readUrl(asked.url);
    if (url.protocol === "http:" && options.allowPlainHttp?.(url) !== true) {
      throw new PenstockError("addressDenied", `${url.host} must be reached over https.`);
    }
    if (underWay >= requestsMax) {
      throw new PenstockError("unavailable", "Too many requests of this kind are under way.");
    }
    underWay++;
    try {
      return await exchange(url, asked);
    } finally {
      underWay--;
    }
  }

  async function exchange(url: URL, asked: GuardedRequest): Promise<GuardedAnswer> {
    const connect = createGuardedConnect(options.guard, {
      connectTimeoutMs,
      alpn: "http/1.1",
      ca: asked.ca ?? null,
    });
    const isTls = url.protocol === "https:";
    const client = new Client(url.origin, {
      pipelining: 1,
      allowH2: false,
      maxHeaderSize: HEADER_BYTES_MAX,
      // One deadline over everything, below.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (_options, callback) => {
        const target = {
          protocol: isTls ? ("https:" as const) : ("http:" as const),
          hostname: bareHost(url.hostname),
          port: url.port === "" ? (isTls ? 443 : 80) : Number(url.port),
        };
        connect(target, (error, socket) => {
          if (error !== null || socket === null) callback(error ?? new Error("no socket"), null);
          else callback(null, socket);
        });
      },
    });
    const deadline = AbortSignal.timeout(timeoutMs);
    const signal =
      asked.signal === undefined ? deadline : AbortSignal.any([deadline, asked.signal]);
    try {
      return await collectAnswer(
        client,
        {
          method: asked.method ?? "GET",
          path: `${url.pathname}${url.search}`,
          headers: { "accept-encoding": "identity", "user-agent": "penstock", ...asked.headers },
          body: asked.body ?? null,
        },
        { signal, answerBytesMax },
      );
    } catch (error) {
      throw toHttpError(error, { origin: url.host, isLate: deadline.aborted, timeoutMs });
    } finally {
      // Also ends a connection that is still being opened.
      await client.destroy();
    }
  }

  return { request };
}

/** Credentials in a URL end up in logs of others, so there are none. */
function readUrl(text: string | URL): URL {
  const url = URL.parse(text.toString());
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "")
    throw new PenstockError("addressDenied", "The address must be an https URL without a user.");
  return url;
}

function bareHost(hostname: string): string {
  return hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
}
