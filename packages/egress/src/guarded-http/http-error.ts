import { PenstockError } from "@penstock/core";
import { errorCodeOf } from "../outcome/error-code.ts";
import { ANSWER_TOO_LARGE } from "./collect-answer.ts";

/** What broke an exchange, in words that name the origin and nothing that was sent. */
export function toHttpError(
  error: unknown,
  exchange: { readonly origin: string; readonly isLate: boolean; readonly timeoutMs: number },
): PenstockError {
  const { origin, isLate, timeoutMs } = exchange;
  if (isLate) {
    return new PenstockError(
      "deadlineExceeded",
      `${origin} did not answer within ${timeoutMs} ms.`,
      { cause: error },
    );
  }
  if (error instanceof PenstockError) {
    return new PenstockError(error.code, `${origin}: ${error.message}`, { cause: error.cause });
  }
  const code = errorCodeOf(error);
  const words = WORDS[code] ?? (isTlsCode(code) ? `its certificate is refused (${code})` : null);
  return new PenstockError(
    "unavailable",
    `${origin} can't be asked: ${words ?? "the connection broke"}.`,
    { cause: error },
  );
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "it refuses the connection",
  ENOTFOUND: "its name has no address",
  EAI_AGAIN: "its name can't be resolved now",
  EHOSTUNREACH: "no route leads to it",
  ENETUNREACH: "no route leads to it",
  UND_ERR_CONNECT_TIMEOUT: "the connection was not opened in time",
  [ANSWER_TOO_LARGE]: "its answer is too large",
  UND_ERR_HEADERS_OVERFLOW: "the headers of its answer are too large",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "it does not speak TLS",
  EPROTO: "it does not speak TLS",
};

/** Codes of OpenSSL's verification, as Node names them. */
function isTlsCode(code: string): boolean {
  return /^(?:CERT_|ERR_TLS_|ERR_SSL_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_)/.test(
    code,
  );
}
