import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { httpFunction, rawAnswer, startEgress, tcpServer } from "./egress-world.ts";

const TIMEOUT_MS = 300;

/** Writes a byte of `text` every few ms, for ever. */
function drip(socket: Socket, text: string): void {
  let at = 0;
  const timer = setInterval(() => {
    if (socket.writable) socket.write(text[at++ % text.length] ?? "");
  }, 20);
  socket.on("close", () => clearInterval(timer));
}

async function expectTimeout(port: number): Promise<void> {
  const { invoker, define } = startEgress();
  const call = define(`http://127.0.0.1:${port}/`, { timeoutMs: TIMEOUT_MS });
  const startedMs = performance.now();
  await expect(invoker.invoke(call)).resolves.toMatchObject({ kind: "timeout" });
  const tookMs = performance.now() - startedMs;
  expect(tookMs).toBeGreaterThanOrEqual(TIMEOUT_MS - 5);
  expect(tookMs).toBeLessThan(TIMEOUT_MS + 1_500);
}

describe("the deadline of a call", () => {
  it("F41: ends a call that is accepted and never answered", async () => {
    await expectTimeout(await tcpServer(() => {}));
  });

  it("F42: ends a head that drips", async () => {
    await expectTimeout(
      await rawAnswer((socket) => {
        socket.write("HTTP/1.1 200 OK\r\n");
        drip(socket, "x-slow: 1\r\n");
      }),
    );
  });

  it("F42: ends a body that drips", async () => {
    await expectTimeout(
      await rawAnswer((socket) => {
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n");
        drip(socket, "x");
      }),
    );
  });

  it("F42: ends a chunked body that never ends", async () => {
    await expectTimeout(
      await rawAnswer((socket) => {
        socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
        drip(socket, "1\r\nx\r\n");
      }),
    );
  });

  it("F40: a connection that does not come about in time costs no attempt", async () => {
    // TLS against a server that never answers the handshake: the request can't have left.
    const port = await tcpServer(() => {});
    const { invoker, define } = startEgress();
    const call = define(`https://127.0.0.1:${port}/`, { timeoutMs: TIMEOUT_MS });
    await expect(invoker.invoke(call)).resolves.toMatchObject({ kind: "unreachable" });
  });

  it("F47: a success after the deadline is ignored", async () => {
    let answer = (): void => {};
    const url = await httpFunction((request, response) => {
      request.resume();
      answer = () => response.end();
    });
    const { invoker, define } = startEgress();
    const outcomes: unknown[] = [];
    const call = define(url, { timeoutMs: TIMEOUT_MS });
    const ended = invoker.invoke(call).then((outcome) => outcomes.push(outcome.kind));
    await ended;
    answer();
    await invoker.invoke(define(await httpFunction((_request, response) => response.end())));
    expect(outcomes).toEqual(["timeout"]);
  });

  it("F47: a success that waited in the socket while this process was busy is late too", async () => {
    // The server is a process of its own kind here: bytes written before this loop blocks arrive during the block.
    const url = await httpFunction((request, response) => {
      request.resume();
      request.on("end", () => {
        response.end();
        setImmediate(() => block(TIMEOUT_MS * 2));
      });
    });
    const { invoker, define } = startEgress();
    const outcome = await invoker.invoke(define(url, { timeoutMs: TIMEOUT_MS }));
    expect(outcome).toMatchObject({ kind: "timeout" });
  });

  it("the caller's own limit holds when it is shorter than the function's", async () => {
    const port = await tcpServer(() => {});
    const { invoker, define } = startEgress();
    const call = { ...define(`http://127.0.0.1:${port}/`), timeoutMs: TIMEOUT_MS };
    const startedMs = performance.now();
    await expect(invoker.invoke(call)).resolves.toMatchObject({ kind: "timeout" });
    expect(performance.now() - startedMs).toBeLessThan(3_000);
  });
});

function block(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}
