import { describe, expect, it } from "vitest";
import { PenstockError } from "../errors/penstock-error.ts";
import { HIDDEN_VALUE, keepHiddenValues } from "./function-headers.ts";
import { type FunctionInput, readFunction } from "./function-settings.ts";
import type { FunctionTarget } from "./function-spec.ts";

const good: FunctionInput = { name: "f", target: { kind: "http", url: "http://h/", headers: {} } };
const http = (url: string, headers: Record<string, string> = {}): FunctionTarget => ({
  kind: "http",
  url,
  headers,
});
const grpc = (address: string): FunctionTarget => ({ kind: "grpc", address, tls: false });
const seconds = (value: number, nanos = 0) => ({ seconds: BigInt(value), nanos });
const withHeader = (name: string, value: string): Partial<FunctionInput> => ({
  target: http("http://h/", Object.fromEntries([[name, value]])),
});
const manyHeaders = (count: number): Partial<FunctionInput> => ({
  target: http(
    "http://h/",
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`h-${index}`, "v"])),
  ),
});

function violations(changes: Partial<FunctionInput>) {
  try {
    readFunction({ ...good, ...changes });
  } catch (error) {
    if (error instanceof PenstockError) return error.violations;
    throw error;
  }
  return [];
}

const URL_FIELD = ["function.http.url"];
const HEADERS = ["function.http.headers"];
const ADDRESS = ["function.grpc.address"];

/** I-14: each limit below, at and above; empty = accepted. */
const TABLE: [string, Partial<FunctionInput>, string[]][] = [
  ["a name of 64", { name: "f".repeat(64) }, []],
  ["a name of 65", { name: "f".repeat(65) }, ["function.name"]],
  ["an empty name", { name: "" }, ["function.name"]],
  ["S-16: name __proto__", { name: "__proto__" }, []],
  ["a name with a slash", { name: "a/b" }, ["function.name"]],
  ["https", { target: http("https://h:8443/path?q=1") }, []],
  ["IPv6", { target: http("http://[::1]:9000/") }, []],
  ["an empty url", { target: http("") }, URL_FIELD],
  ["a url without host", { target: http("http://") }, URL_FIELD],
  ["ftp", { target: http("ftp://h/") }, URL_FIELD],
  ["file", { target: http("file:///etc/passwd") }, URL_FIELD],
  ["no scheme", { target: http("h/path") }, URL_FIELD],
  ["http without slashes", { target: http("http:h") }, URL_FIELD],
  ["a user", { target: http("http://user@h/") }, URL_FIELD],
  ["a password", { target: http("http://:secret@h/") }, URL_FIELD],
  ["empty user info", { target: http("http://@h/") }, URL_FIELD],
  ["a fragment", { target: http("http://h/#a") }, URL_FIELD],
  ["an empty fragment", { target: http("http://h/#") }, URL_FIELD],
  ["a newline", { target: http("http://h/\n") }, URL_FIELD],
  ["a blank in front", { target: http(" http://h/") }, URL_FIELD],
  ["a url of 2048", { target: http(`http://h/${"a".repeat(2039)}`) }, []],
  ["a url of 2049", { target: http(`http://h/${"a".repeat(2040)}`) }, URL_FIELD],
  ["a gRPC address", { target: grpc("functions.internal:50051") }, []],
  ["a gRPC IPv6 address", { target: grpc("[::1]:50051") }, []],
  ["a gRPC address without port", { target: grpc("h") }, ADDRESS],
  ["a gRPC resolver", { target: grpc("dns:///h:1") }, ADDRESS],
  ["a gRPC socket file", { target: grpc("unix:/tmp/x") }, ADDRESS],
  ["a gRPC address with a path", { target: grpc("h:1/x") }, ADDRESS],
  ["a gRPC port of 65536", { target: grpc("h:65536") }, ADDRESS],
  ["a gRPC IPv6 port 0", { target: grpc("[::1]:0") }, ADDRESS],
  ["timeout 0", { timeout: seconds(0) }, ["function.timeout"]],
  ["timeout 1 ms", { timeout: seconds(0, 1_000_000) }, []],
  ["timeout 1.5 ms", { timeout: seconds(0, 1_500_000) }, ["function.timeout"]],
  ["timeout 14 min", { timeout: seconds(840) }, []],
  ["timeout over 14 min", { timeout: seconds(840, 1_000_000) }, ["function.timeout"]],
  ["concurrency 0", { maxConcurrency: 0 }, ["function.max_concurrency"]],
  ["concurrency 1", { maxConcurrency: 1 }, []],
  ["concurrency 100000", { maxConcurrency: 100_000 }, []],
  ["concurrency 100001", { maxConcurrency: 100_001 }, ["function.max_concurrency"]],
  ["payload 1023", { payloadBytesMax: 1023n }, ["function.payload_bytes_max"]],
  ["payload 1024", { payloadBytesMax: 1024n }, []],
  ["payload 64 MiB", { payloadBytesMax: 67_108_864n }, []],
  ["payload over 64 MiB", { payloadBytesMax: 67_108_865n }, ["function.payload_bytes_max"]],
  ["32 headers", manyHeaders(32), []],
  ["33 headers", manyHeaders(33), HEADERS],
  ["a header name of 256", withHeader("h".repeat(256), "v"), []],
  ["a header name of 257", withHeader("h".repeat(257), "v"), HEADERS],
  ["a header value of 8192", withHeader("h", "v".repeat(8192)), []],
  ["a header value of 8193", withHeader("h", "v".repeat(8193)), HEADERS],
  ["an empty header name", withHeader("", "v"), HEADERS],
  ["a header name with a colon", withHeader("a:b", "v"), HEADERS],
  ["a header name with a newline", withHeader("a\n", "v"), HEADERS],
  ["S-16: header __proto__", withHeader("__proto__", "v"), []],
  ["CR in a value", withHeader("h", "a\rb"), HEADERS],
  ["LF in a value", withHeader("h", "a\nb"), HEADERS],
  ["NUL in a value", withHeader("h", "a\0b"), HEADERS],
  ["a tab in a value", withHeader("h", "a\tb"), []],
  ["a letter beyond ASCII in a value", withHeader("h", "ä"), HEADERS],
  ["authorization", withHeader("Authorization", "Bearer x"), []],
  ["host", withHeader("Host", "x"), HEADERS],
  ["content-length", withHeader("content-length", "1"), HEADERS],
  ["transfer-encoding", withHeader("Transfer-Encoding", "chunked"), HEADERS],
  ["connection", withHeader("connection", "close"), HEADERS],
  ["traceparent", withHeader("TraceParent", "x"), HEADERS],
  ["a header of Penstock", withHeader("Penstock-Attempt", "1"), HEADERS],
  ["the same header twice", { target: http("http://h/", { "X-A": "1", "x-a": "2" }) }, HEADERS],
];

describe("readFunction", () => {
  it.each(TABLE)("I-14: %s", (_, changes, fields) => {
    expect(violations(changes).map(({ field }) => field)).toEqual(fields);
  });

  it("requires a target", () => {
    expect(() => readFunction({ name: "f" })).toThrow(/must have a target/);
  });

  it("fills in the defaults of the target's protocol", () => {
    const defaults = { name: "f", timeoutMs: 60_000, maxConcurrency: null };
    expect(readFunction(good)).toEqual({
      ...defaults,
      target: good.target,
      payloadBytesMax: 6_291_456,
    });
    const target = grpc("h:1");
    expect(readFunction({ name: "f", target })).toEqual({
      ...defaults,
      target,
      payloadBytesMax: 4_128_768,
    });
  });

  it("I-21: repeats no header value, no url and no user info in its messages", () => {
    const found = [
      ...violations(withHeader("h", "canary\n")),
      ...violations(withHeader("Host", "canary")),
      ...violations({ target: http("http://u:canary@h/") }),
      ...violations({ target: http("gopher://canary") }),
    ];
    expect(found).toHaveLength(4);
    expect(JSON.stringify(found)).not.toContain("canary");
  });
});

describe("keepHiddenValues", () => {
  it("keeps stored values for ***, whatever the case of the name", () => {
    const kept = keepHiddenValues(
      { Authorization: HIDDEN_VALUE, "x-new": "n" },
      { authorization: "stored", "x-gone": "g" },
    );
    expect(kept).toEqual({ Authorization: "stored", "x-new": "n" });
  });

  it("refuses *** where nothing is stored", () => {
    expect(() => keepHiddenValues({ "x-a": HIDDEN_VALUE }, {})).toThrow(/no stored value/);
  });

  it("S-16: __proto__ is a name like any other", () => {
    const stored = Object.fromEntries([["__proto__", "s"]]);
    const kept = keepHiddenValues(Object.fromEntries([["__proto__", HIDDEN_VALUE]]), stored);
    expect(Object.entries(kept)).toEqual([["__proto__", "s"]]);
    expect(() => keepHiddenValues(Object.fromEntries([["__proto__", HIDDEN_VALUE]]), {})).toThrow();
  });
});
