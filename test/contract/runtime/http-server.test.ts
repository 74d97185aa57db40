// The HTTP port: probes, Connect JSON, and what it refuses.
import { once } from "node:events";
import { type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import { PenstockError } from "@penstock/core";
import { type HttpServer, readJsonBody, respondJson, startHttpServer } from "@penstock/runtime";
import { describe, expect, it } from "vitest";
import { capturedLog, ECHO, type FleetImplementation, fleetRoutes } from "./fleet-service.ts";
import { signal, stopAfterEach } from "./stoppable.ts";

const keep = stopAfterEach();
const GET_POSITIONS = "/penstock.fleet.v1.FleetService/GetPositions";
const JOIN = "/penstock.fleet.v1.FleetService/Join";

type Options = Partial<Parameters<typeof startHttpServer>[0]>;

async function start(implementation: FleetImplementation = ECHO, options: Options = {}) {
  const server = await startHttpServer({
    host: "127.0.0.1",
    port: 0,
    log: capturedLog().log,
    ready: () => ({ ok: true }),
    routes: fleetRoutes(implementation),
    ...options,
  });
  return keep(server);
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

interface Call {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

async function call(
  server: HttpServer,
  { method = "GET", path, headers, body }: Call,
): Promise<Answer> {
  const sent = request({
    host: server.host,
    port: server.port,
    method,
    path,
    headers,
    agent: false,
  });
  sent.on("error", () => {});
  sent.end(body);
  const [response] = await once(sent, "response");
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += chunk;
  const json = text.startsWith("{") ? JSON.parse(text) : {};
  return { status: response.statusCode, headers: response.headers, text, json };
}

function post(server: HttpServer, body: string, headers: Record<string, string> = {}) {
  return call(server, {
    method: "POST",
    path: GET_POSITIONS,
    body,
    headers: { "content-type": "application/json", ...headers },
  });
}

describe("probes", () => {
  it("is healthy when it answers, and ready when the service says so", async () => {
    let readiness: { ok: boolean; reason?: string } = { ok: false, reason: "no database" };
    const server = await start(ECHO, { ready: () => readiness });
    expect((await call(server, { path: "/healthz" })).status).toBe(200);
    expect(await call(server, { path: "/readyz" })).toMatchObject({
      status: 503,
      json: { reason: "no database" },
    });
    readiness = { ok: true };
    expect((await call(server, { path: "/readyz?verbose" })).status).toBe(200);
  });

  it("hands /metrics to its handler, and has none without", async () => {
    const server = await start(ECHO, {
      metrics: (_request, response) => response.end("metrics 1\n"),
    });
    expect((await call(server, { path: "/metrics" })).text).toBe("metrics 1\n");
    expect((await call(await start(), { path: "/metrics" })).status).toBe(404);
  });
});

describe("RPCs over HTTP", () => {
  it("I-13: answers Connect JSON, 64-bit numbers as text", async () => {
    const answer = await post(await start(), '{"partitions":[1]}');
    expect(answer).toMatchObject({
      status: 200,
      json: { positions: [{ partition: 1, committedOffset: "9007199254740993" }] },
    });
  });

  it("streams as Connect JSON", async () => {
    const server = await start({
      async *join() {
        yield { message: { case: "welcome", value: { replicaId: "r" } } };
      },
    });
    const answer = await call(server, {
      method: "POST",
      path: JOIN,
      headers: { "content-type": "application/connect+json" },
      body: "\u0000\u0000\u0000\u0000\u0002{}",
    });
    // HTTP/1.1 has no full duplex: streams of requests are refused clearly.
    expect(answer.status).toBe(505);
  });

  it("gives a failed operation its HTTP status, code and details", async () => {
    const server = await start({
      getPositions: () => {
        throw new PenstockError("notFound", "No such mapping.");
      },
    });
    expect(await post(server, "{}")).toMatchObject({
      status: 404,
      json: {
        code: "not_found",
        message: "No such mapping.",
        details: [{ type: "google.rpc.ErrorInfo" }],
      },
    });
  });

  it("has no RPC by GET", async () => {
    const path = `${GET_POSITIONS}?encoding=json&message={}`;
    expect((await call(await start(), { path })).status).toBe(404);
  });
});

describe("a web page can't drive it", () => {
  it("DNS rebinding: refuses a Host that it doesn't know, on every path", async () => {
    const server = await start();
    for (const path of ["/healthz", "/readyz", "/metrics", GET_POSITIONS, "/other"]) {
      for (const method of ["GET", "POST"]) {
        const headers = { host: "rebound.example:7480", "content-type": "application/json" };
        expect((await call(server, { method, path, headers })).status).toBe(421);
      }
    }
    expect((await call(server, { path: "/healthz", headers: { host: "localhost" } })).status).toBe(
      200,
    );
  });

  it("refuses a foreign Origin, with or without a preflight", async () => {
    const server = await start();
    const headers = { origin: "https://evil.example" };
    expect((await post(server, "{}", headers)).status).toBe(403);
    const preflight = await call(server, { method: "OPTIONS", path: GET_POSITIONS, headers });
    expect(preflight.status).toBe(403);
    expect(preflight.headers["access-control-allow-origin"]).toBeUndefined();
    const own = await post(server, "{}", { origin: `http://127.0.0.1:${server.port}` });
    expect(own.status).toBe(200);
    expect(own.headers["access-control-allow-origin"]).toBeUndefined();
  });

  it.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])(
    "refuses a form or a beacon: %s",
    async (type) => {
      const answer = await post(await start(), "{}", { "content-type": type });
      expect(answer).toMatchObject({ status: 415, json: { code: "invalid_argument" } });
    },
  );

  it("refuses gRPC-Web and gRPC here", async () => {
    const server = await start();
    for (const type of ["application/grpc-web+proto", "application/grpc"]) {
      expect((await post(server, "", { "content-type": type })).status).toBe(415);
    }
  });

  it("answers under names that the operator adds", async () => {
    const server = await start(ECHO, { hosts: ["mapping"] });
    const answer = await call(server, { path: "/healthz", headers: { host: "mapping:7480" } });
    expect(answer.status).toBe(200);
  });
});

describe("S-17, S-19, S-20: limits", () => {
  it("takes a body up to the limit and refuses a longer one", async () => {
    const server = await start(ECHO, { messageBytesMax: 1000 });
    const body = (bytes: number) => JSON.stringify({ topicId: "x".repeat(bytes - 14) });
    expect(body(1000)).toHaveLength(1000);
    expect((await post(server, body(1000))).status).toBe(200);
    expect(await post(server, body(1001))).toMatchObject({ json: { code: "resource_exhausted" } });
  });

  it("refuses JSON that is nested too deep", async () => {
    const deep = `{"x":${"[".repeat(100_000)}`;
    expect(await post(await start(), deep)).toMatchObject({
      status: 400,
      json: { code: "invalid_argument", message: expect.stringContaining("nested deeper") },
    });
  });

  it("refuses a compressed body", async () => {
    const answer = await post(await start(), "{}", { "content-encoding": "gzip" });
    expect(answer.json).toMatchObject({ code: "unimplemented" });
  });

  it("refuses headers over the limit", async () => {
    const answer = await call(await start(), {
      path: "/healthz",
      headers: { "x-long": "x".repeat(20_000) },
    });
    expect(answer.status).toBe(431);
  });

  it("ends a client that drips its headers or its body", async () => {
    const server = await start(ECHO, { headersMsMax: 50, requestMsMax: 100 });
    const head = `POST ${GET_POSITIONS} HTTP/1.1\r\nHost: localhost\r\n`;
    const body = `${head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{`;
    for (const bytes of [head, body]) {
      const socket = connect(server.port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write(bytes);
      socket.resume();
      await once(socket, "close");
    }
    expect((await call(server, { path: "/healthz" })).status).toBe(200);
  });

  it("F11: survives bytes that are no HTTP", async () => {
    const server = await start();
    for (const bytes of [
      "\u0000\u0001\u0002\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ]) {
      const socket = connect(server.port, "127.0.0.1");
      socket.on("error", () => {});
      socket.end(bytes);
      socket.resume();
      await once(socket, "close");
    }
    expect((await call(server, { path: "/healthz" })).status).toBe(200);
  });
});

describe("extra handlers", () => {
  it("take what is left, and leave the rest to 404", async () => {
    const server = await start(ECHO, {
      extra: (incoming, response) => {
        if (!incoming.url?.startsWith("/2015-03-31/")) return false;
        void readJsonBody(incoming, { bytesMax: 100 }).then((body) => {
          respondJson(response, 202, { got: body });
        });
        return true;
      },
    });
    const headers = { "content-type": "application/json" };
    const taken = await call(server, {
      method: "POST",
      path: "/2015-03-31/event-source-mappings",
      headers,
      body: '{"a":1}',
    });
    expect(taken).toMatchObject({ status: 202, json: { got: { a: 1 } } });
    expect((await call(server, { path: "/nope" })).status).toBe(404);
  });

  it("S-24: a handler that throws shows nothing", async () => {
    const server = await start(ECHO, {
      extra: () => {
        throw new Error("hunter2");
      },
    });
    const answer = await call(server, { path: "/nope" });
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain("hunter2");
  });
});

describe("stopping an HTTP port", () => {
  it("F80: lets requests finish, says that it isn't ready, and takes no new ones", async () => {
    const reached = signal();
    const release = signal();
    const server = await start({
      async getPositions() {
        reached.resolve();
        await release.promise;
        return {};
      },
    });
    const answer = post(server, "{}");
    await reached.promise;
    const stopped = server.stop();
    await expect(call(server, { path: "/healthz" })).rejects.toThrow();
    release.resolve();
    expect((await answer).status).toBe(200);
    await stopped;
  });

  it("L-3: ends what doesn't finish within the limit", async () => {
    const reached = signal();
    const server = await start(
      {
        getPositions: () => {
          reached.resolve();
          return new Promise(() => {});
        },
      },
      { stopMsMax: 20 },
    );
    const answer = post(server, "{}").catch(() => "ended");
    await reached.promise;
    await server.stop();
    await answer;
  });
});
