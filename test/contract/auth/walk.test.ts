// S-10: every RPC of every port and every route, with no, wrong, expired, under-privileged and good credentials.
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { fleet, invoker, mapping, poller } from "@penstock/proto";
import { accessOf, hasRole, METHOD_ROLES, type Role, reflection } from "@penstock/runtime";
import { waitUntil } from "@penstock/testkit";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { anyCall, isIn, OF_EVERY_PORT } from "./any-call.ts";
import { type AuthWorld, bearer, logged, startAuthWorld, testCredentials } from "./auth-world.ts";

const PORTS = {
  mapping: [mapping.MappingService, mapping.FunctionService, fleet.FleetService],
  poller: [poller.PollerService],
  invoker: [invoker.InvokerService],
} as const;
type Port = keyof typeof PORTS;

const CASES = (Object.keys(PORTS) as Port[]).flatMap((port) =>
  [...PORTS[port], ...OF_EVERY_PORT].flatMap(({ typeName, methods }) =>
    methods.map((method) => ({ port, path: `/${typeName}/${method.name}`, method })),
  ),
);
const CALLERS = ["viewer", "operator", "admin", "poller"] as const;

let world: AuthWorld;
const transports = new Map<string, ReturnType<AuthWorld["transport"]>>();

beforeAll(async () => {
  world = await startAuthWorld(inject("POSTGRES"), testCredentials());
  await waitUntil("the mapping service is ready", async () => (await get("mapping", "/readyz")).ok);
}, 120_000);
afterAll(() => world.stop());

function as(port: Port, who: string | null, token: string | null) {
  const key = `${port} ${who}`;
  const known = transports.get(key);
  if (known !== undefined) return known;
  const transport = world.transport(world[port].grpc, bearer(token));
  transports.set(key, transport);
  return transport;
}

function get(port: Port, path: string, headers: Record<string, string> = {}) {
  return fetch(`http://${world[port].http}${path}`, { headers });
}

function post(port: Port, path: string, token: string | null, type = "application/json") {
  return fetch(`http://${world[port].http}${path}`, {
    method: "POST",
    headers: { "content-type": type, ...(token !== null && { authorization: `Bearer ${token}` }) },
    body: type === "application/json" ? "{}" : Buffer.from([0, 0, 0, 0, 2, 0x7b, 0x7d]),
  });
}

describe("every RPC", () => {
  it("is walked: what the ports serve is what is in the table", async () => {
    expect(new Set(CASES.map(({ path }) => path))).toEqual(new Set(Object.keys(METHOD_ROLES)));
    for (const port of Object.keys(PORTS) as Port[]) {
      const transport = as(port, "viewer", world.credentials.token("viewer"));
      const client = createClient(reflection.ServerReflection, transport);
      const asked = (async function* () {
        yield { messageRequest: { case: "listServices", value: "" } } as const;
      })();
      for await (const { messageResponse } of client.serverReflectionInfo(asked)) {
        if (messageResponse.case !== "listServicesResponse") throw new Error("no list");
        const walked = CASES.filter((one) => one.port === port).map(
          ({ path }) => path.split("/")[1],
        );
        expect(messageResponse.value.service.map(({ name }) => name).sort()).toEqual(
          [...new Set(walked)].sort(),
        );
      }
    }
  });

  it.each(CASES)("S-10: $port $path", async ({ port, path, method }) => {
    const access = accessOf(path);
    const isOpen = access === "everybody";
    const call = (who: string | null, token: string | null) =>
      anyCall(as(port, who, token), method);
    const { credentials } = world;
    for (const [who, token] of [
      [null, null],
      ["wrong", "wrong-token-of-nobody"],
      ["expired", credentials.token("expired")],
    ] as const) {
      expect(await call(who, token), `${who}`).toBe(isOpen ? null : Code.Unauthenticated);
    }
    for (const name of CALLERS) {
      const role: Role = name === "poller" ? "node" : name;
      const may =
        isOpen || hasRole({ subject: "", roles: new Set([role]), nodeId: null }, access as Role);
      const code = await call(name, credentials.token(name));
      if (may) expect(isIn(code), `${name}: ${code}`).toBe(true);
      else expect(code, name).toBe(Code.PermissionDenied);
    }
  });

  it.each(CASES.filter(({ path }) => !/fleet|grpc/.test(path)))(
    "S-10: $port $path as Connect JSON",
    async ({ port, path, method }) => {
      const type = method.methodKind === "unary" ? "application/json" : "application/connect+json";
      const outcome = async (token: string | null) => {
        const answer = await post(port, path, token, type);
        return { status: answer.status, text: await answer.text() };
      };
      // HTTP/1.1 has no streams in both directions: refused whoever calls.
      const isServed =
        method.methodKind !== "bidi_streaming" &&
        path !== "/penstock.invoker.v1.InvokerService/InvokeStream";
      for (const token of [null, "wrong-token-of-nobody", world.credentials.token("expired")]) {
        const { status, text } = await outcome(token);
        if (!isServed) expect(status).toBeGreaterThanOrEqual(400);
        else if (method.methodKind === "unary") expect(status).toBe(401);
        else expect(text).toContain('"code":"unauthenticated"');
      }
      if (!isServed) return;
      const access = accessOf(path) as Role;
      if (access !== "viewer") {
        const { status, text } = await outcome(world.credentials.token("viewer"));
        expect(text).toContain(`This needs the role ${access}; viewer has viewer.`);
        expect(status).toBe(403);
      }
      const good = await outcome(world.credentials.token(access));
      expect(good.text).not.toMatch(/"code":"(unauthenticated|permission_denied)"/);
    },
  );

  it("S-10, S-24: a denied call's message is not read, however broken it is", async () => {
    for (const [type, body] of [
      ["application/json", "{".repeat(1000)],
      ["application/proto", "\u00ff\u00ff\u00ff"],
      ["application/json", "x".repeat(1_000_000)],
    ] as const) {
      const path = "/penstock.mapping.v1.MappingService/ListEventSourceMappings";
      const answer = await fetch(`http://${world.mapping.http}${path}`, {
        method: "POST",
        headers: { "content-type": type },
        body,
      });
      expect(await answer.json()).toMatchObject({ code: "unauthenticated" });
    }
  });
});

describe("every route", () => {
  const ports = Object.keys(PORTS) as Port[];

  it.each(ports)("S-10: of %s: probes are for everybody, /metrics is for viewers", async (port) => {
    expect((await get(port, "/healthz")).status).toBe(200);
    expect([200, 503]).toContain((await get(port, "/readyz")).status);
    const metrics = (authorization: string) => get(port, "/metrics", { authorization });
    const anonymous = await get(port, "/metrics");
    expect(anonymous.status).toBe(401);
    expect(anonymous.headers.get("www-authenticate")).toBe('Bearer realm="penstock"');
    for (const token of ["wrong-token-of-nobody", world.credentials.token("expired")]) {
      expect((await metrics(`Bearer ${token}`)).status).toBe(401);
    }
    for (const header of ["Basic dXNlcjpwYXNz", "Bearer", "Bearer a b", "AWS4-HMAC-SHA256 x"]) {
      expect((await metrics(header)).status).toBe(401);
    }
    expect((await metrics(`Bearer ${world.credentials.token("poller")}`)).status).toBe(403);
    const good = await metrics(`Bearer ${world.credentials.token("viewer")}`);
    expect(good.status).toBe(200);
    expect(await good.text()).toContain('penstock_calls_denied_total{reason="unauthenticated"');
  });

  it.each([
    ["GET", "/2015-03-31/event-source-mappings", "viewer"],
    ["GET", "/2015-03-31/event-source-mappings/", "viewer"],
    ["POST", "/2015-03-31/event-source-mappings/", "operator"],
    ["GET", "/2015-03-31/event-source-mappings/5b1f3c9e-6a0d-4c1b-9e57-0d3c8a2f4e61", "viewer"],
    ["PUT", "/2015-03-31/event-source-mappings/5b1f3c9e-6a0d-4c1b-9e57-0d3c8a2f4e61", "operator"],
    [
      "DELETE",
      "/2015-03-31/event-source-mappings/5b1f3c9e-6a0d-4c1b-9e57-0d3c8a2f4e61",
      "operator",
    ],
    ["GET", "/2017-03-31/tags/arn", "viewer"],
    ["POST", "/2017-03-31/tags/arn", "operator"],
    ["DELETE", "/2017-03-31/tags/arn?tagKeys=a", "operator"],
    ["GET", "/2015-03-31/functions", "viewer"],
  ] as const)("S-10: AWS's %s %s", async (method, path, role) => {
    const call = (token: string | null) =>
      fetch(`http://${world.mapping.http}${path}`, {
        method,
        headers: {
          "content-type": "application/json",
          ...(token !== null && { authorization: `Bearer ${token}` }),
        },
        ...(method !== "GET" && { body: "{}" }),
      });
    const errorOf = async (token: string | null) => {
      const { status, headers } = await call(token);
      return [status, headers.get("x-amzn-errortype")];
    };
    expect(await errorOf(null)).toEqual([403, "MissingAuthenticationTokenException"]);
    for (const token of ["wrong-token-of-nobody", world.credentials.token("expired")]) {
      const [status, type] = await errorOf(token);
      expect([401, 403]).toContain(status);
      expect(type).toBe("UnrecognizedClientException");
    }
    if (role === "operator") {
      const viewer = world.credentials.token("viewer");
      expect(await errorOf(viewer)).toEqual([403, "AccessDeniedException"]);
    }
    expect([401, 403]).not.toContain((await call(world.credentials.token(role))).status);
  });
});

describe("what only operators may", () => {
  it("S-10: includes a dry run that reaches the brokers, which a viewer otherwise may", async () => {
    const dryRun = (who: "viewer" | "operator", reachBrokers: boolean) =>
      createClient(
        mapping.MappingService,
        as("mapping", who, world.credentials.token(who)),
      ).validateEventSourceMapping({ reachBrokers });
    await expect(dryRun("viewer", true)).rejects.toMatchObject({ code: Code.PermissionDenied });
    const codes = await Promise.all(
      [dryRun("viewer", false), dryRun("operator", true)].map((call) =>
        call.then(
          () => null,
          (error: unknown) => ConnectError.from(error).code,
        ),
      ),
    );
    for (const code of codes) expect(isIn(code)).toBe(true);
  });

  it("is logged with who did it, on every service", async () => {
    for (const method of ["PollerService/Drain", "InvokerService/Invoke"]) {
      await logged(world, `.${method}"`, '"subject":"operator"', '"level":"info"');
    }
  });

  it("is logged with the function that was invoked: its name, made printable, and nothing of the payload", async () => {
    const token = world.credentials.token("operator");
    const client = createClient(invoker.InvokerService, as("invoker", "operator", token));
    const payload = Buffer.from("canary-of-a-payload");
    const functionName = `orders\n${"x".repeat(300)}`;
    await expect(client.invoke({ functionName, payload })).rejects.toThrow();
    const resource = `"resource":"orders?${"x".repeat(193)}"`;
    await logged(world, ".InvokerService/Invoke", '"subject":"operator"', resource);
    expect(world.lines.join("")).not.toContain("canary-of-a-payload");
  });
});

describe("what was denied", () => {
  it("I-21: is in the log by method and subject, and no credential ever is", async () => {
    await logged(world, '"msg":"call denied"', '"reason":"unauthenticated"', '"subject":null');
    const said = world.lines.join("");
    for (const name of ["viewer", "operator", "admin", "poller", "invoker", "expired"]) {
      expect(said).not.toContain(world.credentials.token(name));
    }
    expect(said).not.toContain("wrong-token-of-nobody");
  });
});
