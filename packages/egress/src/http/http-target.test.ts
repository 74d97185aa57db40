import type { FunctionCall } from "@penstock/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { headersOfCall, httpTargetOf } from "./http-target.ts";
import { traceContextOf } from "./trace-context.ts";

const CALL: FunctionCall = {
  functionName: "f",
  functionRevision: 1n,
  qualifier: "",
  format: "lambdaJson",
  payload: Buffer.from("{}"),
  requestId: "0d9c7d5e-0000-4000-8000-000000000001",
  mappingId: "0d9c7d5e-0000-4000-8000-000000000002",
  attempt: 3,
  traceparent: "",
  tracestate: "",
  recordCount: 1,
  timeoutMs: 1000,
};

function headers(call: Partial<FunctionCall>, own: Record<string, string> = {}) {
  const target = httpTargetOf({ kind: "http", url: "https://f.example/a?b=c", headers: own });
  const flat = headersOfCall(target, { ...CALL, ...call }, 1234.4);
  const pairs: [string, string][] = [];
  for (let at = 0; at < flat.length; at += 2) pairs.push([flat[at] ?? "", flat[at + 1] ?? ""]);
  return pairs;
}

describe("headers of a call", () => {
  it("carry ids, attempt and deadline", () => {
    expect(Object.fromEntries(headers({ qualifier: "prod" }))).toEqual({
      "content-type": "application/json",
      "accept-encoding": "identity",
      "user-agent": "penstock",
      "penstock-request-id": CALL.requestId,
      "penstock-mapping-id": CALL.mappingId,
      "penstock-attempt": "3",
      "penstock-deadline-ms": "1234",
      "penstock-function-qualifier": "prod",
    });
  });

  it("a function's own headers are sent, but replace none of Penstock's or HTTP's", () => {
    const own = {
      Authorization: "Bearer x",
      "User-Agent": "mine",
      "Content-Length": "5",
      Host: "evil",
      "Transfer-Encoding": "chunked",
      "Penstock-Attempt": "9",
      "Accept-Encoding": "gzip",
    };
    const sent = Object.fromEntries(headers({}, own));
    expect(sent.authorization).toBe("Bearer x");
    expect(sent["user-agent"]).toBe("mine");
    expect(sent["penstock-attempt"]).toBe("3");
    expect(sent["accept-encoding"]).toBe("identity");
    expect(sent).not.toHaveProperty("content-length");
    expect(sent).not.toHaveProperty("host");
    expect(sent).not.toHaveProperty("transfer-encoding");
  });

  it("S-08: whatever text gets into an id, no header name and no control character comes of it", () => {
    const names = new Set(
      headers({ qualifier: "x", traceparent: TRACEPARENT, tracestate: "a=b" }).map(
        ([name]) => name,
      ),
    );
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const wild = {
          requestId: text,
          mappingId: text,
          qualifier: text,
          traceparent: text,
          tracestate: text,
        };
        return headers(wild).every(
          ([name, value]) => names.has(name) && /^[\x20-\x7e]*$/.test(value),
        );
      }),
    );
  });
});

const TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

describe("traceContextOf", () => {
  it("S-09: takes a well-formed context", () => {
    expect(traceContextOf(TRACEPARENT, "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE")).toEqual({
      traceparent: TRACEPARENT,
      tracestate: "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
    });
  });

  it.each([
    "",
    "00",
    TRACEPARENT.toUpperCase(),
    `${TRACEPARENT}-extra`,
    TRACEPARENT.replace("00-", "01-"),
    "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
    `${TRACEPARENT}\r\nx: y`,
    `${TRACEPARENT}\n`,
  ])("S-09: refuses %j", (traceparent) => {
    expect(traceContextOf(traceparent, "a=b")).toBeNull();
  });

  it("S-09: drops a tracestate that is too long or not printable", () => {
    expect(traceContextOf(TRACEPARENT, "a".repeat(513))?.tracestate).toBe("");
    expect(traceContextOf(TRACEPARENT, "a=b\r\nx: y")?.tracestate).toBe("");
  });
});
