import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { classifyGrpcAnswer, classifyGrpcBreak } from "./grpc-outcome.ts";
import { classifyHttpBreak, classifyHttpHead } from "./http-outcome.ts";
import { parseRetryAfter, RETRY_AFTER_MAX_MS } from "./retry-after.ts";

const NOW = Date.UTC(2026, 0, 1);

describe("parseRetryAfter", () => {
  it.each([
    ["0", 0],
    ["7", 7_000],
    [" 7 ", 7_000],
    ["299", 299_000],
    ["301", RETRY_AFTER_MAX_MS],
    ["999999999999", RETRY_AFTER_MAX_MS],
    ["Thu, 01 Jan 2026 00:00:10 GMT", 10_000],
    ["Thu, 01 Jan 2026 23:00:00 GMT", RETRY_AFTER_MAX_MS],
    ["Wed, 31 Dec 2025 23:00:00 GMT", 0],
    ["Thu, 99 Jan 2026 00:00:10 GMT", null],
    ["2026-01-01T00:00:10Z", null],
    ["-5", null],
    ["1.5", null],
    ["1e3", null],
    ["soon", null],
    ["", null],
    [undefined, null],
  ])("F45: %j waits %j ms", (value, expected) => {
    expect(parseRetryAfter(value, NOW)).toBe(expected);
  });

  it("F45: is null or within 0 and the cap for any text and clock", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer(), (text, wallMs) => {
        const ms = parseRetryAfter(text, wallMs);
        return ms === null || (ms >= 0 && ms <= RETRY_AFTER_MAX_MS);
      }),
    );
  });
});

function headOf(status: number, more: Record<string, string> = {}) {
  return {
    status,
    retryAfter: more.retryAfter,
    contentEncoding: more.contentEncoding,
    functionError: more.functionError,
  };
}

describe("classifyHttpHead", () => {
  it("F45: only 2xx can be a success, 429 and 503 throttle, everything else is an error of the function", () => {
    for (let status = 200; status <= 599; status++) {
      const outcome = classifyHttpHead(headOf(status), NOW);
      if (status < 300) expect(outcome).toBeNull();
      else if (status === 429 || status === 503) expect(outcome?.kind).toBe("throttled");
      else expect(outcome).toMatchObject({ kind: "functionError", statusCode: status });
    }
  });

  it("F45: takes the wait that 429 and 503 ask for, capped", () => {
    expect(classifyHttpHead(headOf(429, { retryAfter: "3" }), NOW)).toMatchObject({
      retryAfterMs: 3_000,
    });
    expect(classifyHttpHead(headOf(503, { retryAfter: "99999" }), NOW)).toMatchObject({
      retryAfterMs: RETRY_AFTER_MAX_MS,
    });
    expect(classifyHttpHead(headOf(503, { retryAfter: "later" }), NOW)).toMatchObject({
      retryAfterMs: null,
    });
  });

  it("X-Amz-Function-Error makes a 200 an error of the function", () => {
    const outcome = classifyHttpHead(headOf(200, { functionError: "Unhandled" }), NOW);
    expect(outcome).toMatchObject({ kind: "functionError", statusCode: 200 });
  });

  it("S-18: a compressed success is refused, identity is not", () => {
    expect(classifyHttpHead(headOf(200, { contentEncoding: "gzip" }), NOW)?.kind).toBe(
      "invalidResponse",
    );
    expect(classifyHttpHead(headOf(200, { contentEncoding: "Identity" }), NOW)).toBeNull();
  });
});

describe("classifyHttpBreak", () => {
  it("F40: what broke before it was sent costs no attempt, whatever the code", () => {
    for (const code of ["ECONNREFUSED", "ENOTFOUND", "CERT_HAS_EXPIRED", "ECONNRESET", ""]) {
      expect(classifyHttpBreak({ isSent: false, status: 0, code }).kind).toBe("unreachable");
    }
  });

  it("F40: what broke after it was sent may have run", () => {
    for (const code of ["ECONNRESET", "UND_ERR_SOCKET", "EPIPE", ""]) {
      expect(classifyHttpBreak({ isSent: true, status: 0, code }).kind).toBe("functionError");
    }
  });

  it("F44: bytes that are not HTTP are an invalid answer", () => {
    for (const code of ["HPE_INVALID_CONSTANT", "UND_ERR_HEADERS_OVERFLOW"]) {
      expect(classifyHttpBreak({ isSent: true, status: 0, code }).kind).toBe("invalidResponse");
    }
  });
});

function answerOf(status: string, message = "", payloadBytes = 5_000_000) {
  return { status, message, pushback: undefined, payloadBytes };
}

describe("classifyGrpcAnswer", () => {
  it("maps every code", () => {
    const kinds = Array.from(
      { length: 17 },
      (_, code) => classifyGrpcAnswer(answerOf(String(code)))?.kind ?? "success",
    );
    expect(kinds).toEqual([
      "success",
      "functionError",
      "functionError",
      "functionError",
      "timeout",
      "functionError",
      "functionError",
      "functionError",
      "throttled",
      "functionError",
      "functionError",
      "functionError",
      "functionError",
      "functionError",
      "throttled",
      "functionError",
      "functionError",
    ]);
  });

  it.each([
    "grpc: received message larger than max (5000000 vs. 4194304)",
    "Received message larger than max (5000000 vs. 4194304)",
    "SERVER: Received message larger than max (5000000 vs. 4194304)",
    "gRPC message exceeds maximum size 4194304: 5000000",
    "Received message exceeds the maximum configured message size.",
    "message size 5000000 is larger than configured readMaxBytes 4194304",
    "grpc%3A received message larger than max %285000000 vs. 4194304%29",
  ])("a payload over the peer's limit is an error of the function: %s", (message) => {
    expect(classifyGrpcAnswer(answerOf("8", message))).toMatchObject({
      kind: "functionError",
      statusCode: 8,
    });
  });

  it("RESOURCE_EXHAUSTED for any other reason throttles", () => {
    for (const message of ["", "quota exceeded", "too many requests", "%E0%A4%A"]) {
      expect(classifyGrpcAnswer(answerOf("8", message))?.kind).toBe("throttled");
    }
    expect(classifyGrpcAnswer(answerOf("8", "message larger than max", 100))?.kind).toBe(
      "throttled",
    );
  });

  it("takes a pushback, capped, and no garbage", () => {
    const of = (pushback: string) => classifyGrpcAnswer({ ...answerOf("14"), pushback });
    expect(of("250")).toMatchObject({ retryAfterMs: 250 });
    expect(of("99999999")).toMatchObject({ retryAfterMs: RETRY_AFTER_MAX_MS });
    expect(of("-1")).toMatchObject({ retryAfterMs: null });
  });

  it("is total over statuses", () => {
    for (const status of ["", "abc", "-1", "1.5", "99999"]) {
      expect(classifyGrpcAnswer(answerOf(status))?.kind).toBe("invalidResponse");
    }
    expect(classifyGrpcAnswer(answerOf("200"))?.kind).toBe("functionError");
  });
});

describe("classifyGrpcBreak", () => {
  it("F48: a refused stream and one that was not sent cost no attempt, any other may have run", () => {
    const of = (isSent: boolean, resetCode: number) =>
      classifyGrpcBreak({ isSent, resetCode, code: "" }).kind;
    expect(of(false, 0)).toBe("unreachable");
    expect(of(true, 7)).toBe("unreachable");
    expect(of(true, 11)).toBe("throttled");
    for (const code of [0, 1, 2, 8, 13]) expect(of(true, code)).toBe("functionError");
  });
});
