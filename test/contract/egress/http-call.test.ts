import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { closedPort, httpFunction, rawAnswer, startEgress, tcpServer } from "./egress-world.ts";

describe("a call over HTTP", () => {
  it("posts the payload as it stands, with its identity in headers", async () => {
    const seen: { headers: NodeJS.Dict<string | string[]>; body: string; url: string }[] = [];
    const url = await httpFunction((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const body = Buffer.concat(chunks).toString();
        seen.push({ headers: request.headers, body, url: `${request.method} ${request.url}` });
        response.end('{"ok":true}');
      });
    });
    const { invoker, define } = startEgress();
    const call = define(`${url}deep/path?x=1`, {
      target: { kind: "http", url: `${url}deep/path?x=1`, headers: { "X-Key": "k" } },
    });
    await expect(invoker.invoke(call)).resolves.toEqual({ kind: "success" });
    expect(seen[0]?.url).toBe("POST /deep/path?x=1");
    expect(seen[0]?.body).toBe('{"records":{}}');
    expect(seen[0]?.headers).toMatchObject({
      "content-type": "application/json",
      "content-length": "14",
      "penstock-request-id": call.requestId,
      "penstock-mapping-id": call.mappingId,
      "penstock-attempt": "1",
      "x-key": "k",
    });
    const deadline = Number(seen[0]?.headers["penstock-deadline-ms"]);
    expect(Math.abs(deadline - Date.now() - 10_000)).toBeLessThan(5_000);
  });

  it("F45: every status has its class on a real connection", async () => {
    const url = await httpFunction((request, response) => {
      request.resume();
      const status = Number(request.url?.slice(1));
      response.writeHead(status, status === 429 ? { "retry-after": "2" } : {}).end();
    });
    const { invoker, define } = startEgress();
    const expected: readonly (readonly [number, string])[] = [
      [200, "success"],
      [201, "success"],
      [202, "success"],
      [204, "success"],
      [206, "success"],
      [300, "functionError"],
      [301, "functionError"],
      [302, "functionError"],
      [304, "functionError"],
      [307, "functionError"],
      [400, "functionError"],
      [401, "functionError"],
      [404, "functionError"],
      [408, "functionError"],
      [413, "functionError"],
      [429, "throttled"],
      [500, "functionError"],
      [502, "functionError"],
      [503, "throttled"],
      [504, "functionError"],
      [599, "functionError"],
    ];
    for (const [status, kind] of expected) {
      const outcome = await invoker.invoke(define(`${url}${status}`, { name: "f" }));
      expect(outcome, `status ${status}`).toMatchObject({ kind });
      if (status === 429) expect(outcome).toMatchObject({ retryAfterMs: 2_000 });
      if (kind === "functionError") expect(outcome).toMatchObject({ statusCode: status });
    }
  });

  it("S-04: a redirect is not followed", async () => {
    let isReached = false;
    const goal = await httpFunction((_request, response) => {
      isReached = true;
      response.end();
    });
    for (const status of [301, 302, 303, 307, 308]) {
      const url = await httpFunction((request, response) => {
        request.resume();
        response.writeHead(status, { location: goal }).end();
      });
      const { invoker, define } = startEgress();
      await expect(invoker.invoke(define(url))).resolves.toMatchObject({
        kind: "functionError",
        statusCode: status,
      });
    }
    expect(isReached).toBe(false);
  });

  it("proxy variables of the environment are not looked at", async () => {
    const url = await httpFunction((_request, response) => response.end());
    const proxy = `http://127.0.0.1:${await closedPort()}`;
    const { HTTP_PROXY, http_proxy } = process.env;
    process.env.HTTP_PROXY = proxy;
    process.env.http_proxy = proxy;
    const { invoker, define } = startEgress();
    await expect(invoker.invoke(define(url))).resolves.toEqual({ kind: "success" });
    restore("HTTP_PROXY", HTTP_PROXY);
    restore("http_proxy", http_proxy);
  });

  it("F40: refused, an unknown name and a failed TLS handshake cost no attempt", async () => {
    const { invoker, define } = startEgress();
    const plain = await httpFunction((_request, response) => response.end());
    const targets = [
      `http://127.0.0.1:${await closedPort()}/`,
      "http://no-such-host.invalid/",
      plain.replace("http:", "https:"),
    ];
    for (const target of targets) {
      const outcome = await invoker.invoke(define(target));
      expect(outcome, target).toMatchObject({ kind: "unreachable" });
    }
  });

  it("F40: a reset before the answer may have run, so it counts", async () => {
    const port = await rawAnswer((socket) => socket.resetAndDestroy());
    const { invoker, define } = startEgress();
    await expect(invoker.invoke(define(`http://127.0.0.1:${port}/`))).resolves.toMatchObject({
      kind: "functionError",
      statusCode: 0,
    });
  });

  it("F48: a pooled connection that the server has closed is not used again", async () => {
    let connections = 0;
    const port = await tcpServer((socket) => {
      connections++;
      socket.once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
        socket.end();
      });
    });
    const { invoker, define } = startEgress();
    const call = define(`http://127.0.0.1:${port}/`);
    for (let round = 0; round < 20; round++) {
      await expect(invoker.invoke(call)).resolves.toEqual({ kind: "success" });
    }
    expect(connections).toBe(20);
  });

  it("F48: connections are kept and used again", async () => {
    const ports = new Set<number | undefined>();
    const url = await httpFunction((request, response) => {
      ports.add(request.socket.remotePort);
      request.resume();
      response.end();
    });
    const { invoker, define } = startEgress();
    const call = define(url);
    for (let round = 0; round < 20; round++) await invoker.invoke(call);
    // Two: a call that starts in the very turn in which the one before it ends finds its connection still busy.
    expect(ports.size).toBeLessThanOrEqual(2);
  });

  it("a success with a broken body is no success", async () => {
    const port = await rawAnswer((socket) => {
      socket.end("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf");
    });
    const { invoker, define } = startEgress();
    const outcome = await invoker.invoke(define(`http://127.0.0.1:${port}/`));
    expect(["functionError", "invalidResponse"]).toContain(outcome.kind);
  });

  it("F44: an oversize answer ends at the cap, announced or not", async () => {
    const announced = await httpFunction((_request, response) => {
      response.writeHead(200, { "content-length": String(10_000_000) });
      response.write("x");
    });
    let written = 0;
    const endless = await httpFunction((_request, response) => {
      const chunk = Buffer.alloc(64 * 1024);
      const more = (): void => {
        while (!response.destroyed && response.write(chunk)) written += chunk.length;
      };
      response.on("drain", more);
      more();
    });
    const { invoker, define } = startEgress({ limits: { answerBytesMax: 1_000_000 } });
    for (const url of [announced, endless]) {
      const outcome = await invoker.invoke(define(url));
      expect(outcome).toMatchObject({ kind: "invalidResponse" });
    }
    expect(written).toBeLessThan(50_000_000);
  });

  it("F44: endless header bytes end", async () => {
    const port = await rawAnswer((socket) => {
      socket.write("HTTP/1.1 200 OK\r\n");
      const line = Buffer.from(`x-filler: ${"y".repeat(1000)}\r\n`);
      const more = (): void => {
        while (socket.writable && socket.write(line));
      };
      socket.on("drain", more);
      more();
    });
    const { invoker, define } = startEgress();
    await expect(invoker.invoke(define(`http://127.0.0.1:${port}/`))).resolves.toMatchObject({
      kind: "invalidResponse",
    });
  });

  it("F44: bytes that are not HTTP, bad UTF-8 and deep JSON do no harm", async () => {
    const noise = await rawAnswer((socket) => socket.end("SSH-2.0-OpenSSH_9.6\r\n"));
    const { invoker, define } = startEgress();
    await expect(invoker.invoke(define(`http://127.0.0.1:${noise}/`))).resolves.toMatchObject({
      kind: "invalidResponse",
    });
    for (const body of [Buffer.from([0xff, 0xfe, 0x00]), Buffer.from("[".repeat(1_000_000))]) {
      const url = await httpFunction((request, response) => {
        request.resume();
        response.end(body);
      });
      await expect(invoker.invoke(define(url))).resolves.toEqual({ kind: "success" });
    }
  });

  it("F44, S-18: a gzip bomb is neither asked for nor inflated", async () => {
    const bomb = gzipSync(Buffer.alloc(200_000_000));
    const asked: (string | string[] | undefined)[] = [];
    const url = await httpFunction((request, response) => {
      asked.push(request.headers["accept-encoding"]);
      request.resume();
      response.writeHead(200, { "content-encoding": "gzip" }).end(bomb);
    });
    const { invoker, define } = startEgress();
    const before = process.memoryUsage().rss;
    await expect(invoker.invoke(define(url))).resolves.toMatchObject({ kind: "invalidResponse" });
    expect(asked).toEqual(["identity"]);
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
  });
});

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}
