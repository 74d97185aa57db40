import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { createHostGuard } from "./host-guard.ts";

const guard = createHostGuard(["0.0.0.0", "mapping", "Penstock.Example"]);

function request(
  headers: Record<string, string>,
  { method = "GET", localAddress = "127.0.0.1" } = {},
): IncomingMessage {
  return {
    method,
    headers: { host: "localhost:7480", ...headers },
    socket: { localAddress },
  } as unknown as IncomingMessage;
}

const statusOf = (...given: Parameters<typeof request>) => guard(request(...given))?.status ?? null;

describe("createHostGuard", () => {
  it.each([
    "localhost:7480",
    "LOCALHOST",
    "127.0.0.1:1",
    "127.8.9.10",
    "[::1]:7480",
    "mapping:7480",
    "penstock.example",
  ])("answers under Host %s", (host) => {
    expect(statusOf({ host })).toBeNull();
  });

  it.each([
    "evil.example",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "",
    "a b",
    "localhost:x",
    "user@localhost",
    "10.0.0.5",
    "[::2]",
  ])("refuses Host %j: the name of a page that was re-pointed at us", (host) => {
    expect(statusOf({ host })).toBe(421);
  });

  it("answers under the address that the connection came in on", () => {
    expect(statusOf({ host: "10.0.0.5:7480" }, { localAddress: "10.0.0.5" })).toBeNull();
    expect(statusOf({ host: "10.0.0.5:7480" }, { localAddress: "::ffff:10.0.0.5" })).toBeNull();
  });

  it.each([
    "http://evil.example",
    "https://localhost.evil.example",
    "null",
    "",
    "file://",
    "http://localhost/path",
    "chrome-extension://abc",
    "http://a@localhost",
  ])("refuses Origin %j", (origin) => {
    expect(statusOf({ origin })).toBe(403);
  });

  it.each(["http://localhost:7480", "http://127.0.0.1:3000", "https://penstock.example"])(
    "takes its own Origin %s",
    (origin) => {
      expect(statusOf({ origin })).toBeNull();
    },
  );

  it.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonx",
    "application/xml",
    "application/json, text/plain",
  ])("refuses a POST of %s, which a page could send without asking", (type) => {
    expect(statusOf({ "content-type": type, "content-length": "2" }, { method: "POST" })).toBe(415);
  });

  it.each([
    "application/json",
    "Application/JSON; charset=utf-8",
    "application/connect+json",
    "application/proto",
    "application/connect+proto",
  ])("takes a POST of %s", (type) => {
    expect(statusOf({ "content-type": type }, { method: "POST" })).toBeNull();
  });

  it("takes a POST without a type only when it has no body", () => {
    expect(statusOf({ "content-length": "0" }, { method: "POST" })).toBeNull();
    expect(statusOf({ "content-length": "2" }, { method: "POST" })).toBe(415);
    expect(statusOf({ "transfer-encoding": "chunked" }, { method: "POST" })).toBe(415);
  });
});
