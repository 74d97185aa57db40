import { create } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { parseInvokerSettings, startInvokerService } from "@penstock/invoker-service";
import { fleet, invoker } from "@penstock/proto";
import { createRpcTransport, startRpcServer, startTelemetry } from "@penstock/runtime";
import { describe, expect, it, onTestFinished } from "vitest";
import { eventually, httpFunction } from "./egress-world.ts";
import { CALL, QUIET, startPool } from "./stream-world.ts";

type Message = fleet.JoinResponse["message"];

/** A mapping service of which only the fleet stream exists: says what the test says, notes what it hears. */
async function startFleet() {
  const heard: fleet.JoinRequest["message"][] = [];
  const queue: fleet.JoinResponse[] = [];
  let wake = (): void => {};
  const say = (message: Message): void => {
    queue.push(create(fleet.JoinResponseSchema, { message }));
    wake();
  };
  say({ case: "welcome", value: create(fleet.WelcomeSchema, { replicaId: "r" }) });
  const server = await startRpcServer({
    host: "127.0.0.1",
    port: 0,
    log: QUIET,
    services: [fleet.FleetService],
    stopMsMax: 100,
    routes: (router) =>
      router.service(fleet.FleetService, {
        async *join(requests, context) {
          const listening = (async () => {
            for await (const request of requests) heard.push(request.message);
          })();
          listening.catch(() => {});
          while (!context.signal.aborted) {
            for (let next = queue.shift(); next !== undefined; next = queue.shift()) yield next;
            await new Promise<void>((resolve) => {
              wake = resolve;
              context.signal.addEventListener("abort", () => resolve(), { once: true });
            });
          }
        },
        getPositions: () => ({}),
      }),
  });
  onTestFinished(() => server.stop());
  return { address: `127.0.0.1:${server.port}`, heard, say };
}

async function startService(mappingService: string, more: Record<string, string> = {}) {
  const env = {
    PENSTOCK_INVOKER_GRPC_PORT: "0",
    PENSTOCK_INVOKER_HTTP_PORT: "0",
    PENSTOCK_MAPPING_SERVICE: mappingService,
    PENSTOCK_ALLOW_PRIVATE_ADDRESSES: "true",
    ...more,
  };
  const telemetry = startTelemetry({ service: "penstock-invoker", instanceId: "i", env });
  const service = await startInvokerService({
    settings: parseInvokerSettings(env),
    log: QUIET,
    telemetry,
  });
  onTestFinished(async () => {
    await service.stop();
    await telemetry.shutdown();
  });
  const transport = createRpcTransport({ address: service.grpc });
  onTestFinished(() => transport.close());
  return { service, client: createClient(invoker.InvokerService, transport) };
}

function functions(...changed: { name: string; url: string; maxConcurrency?: number }[]): Message {
  return {
    case: "functions",
    value: create(fleet.FunctionsSchema, {
      isSnapshot: true,
      changed: changed.map(({ name, url, maxConcurrency }) => ({
        name,
        revision: 1n,
        target: { case: "http" as const, value: { url } },
        ...(maxConcurrency === undefined ? {} : { maxConcurrency }),
      })),
    }),
  };
}

type InvokerClient = Client<typeof invoker.InvokerService>;

async function kindOf(client: InvokerClient, functionName: string): Promise<unknown> {
  try {
    return (await client.invoke({ functionName, payload: Buffer.from("{}") })).outcome?.kind;
  } catch (error) {
    return ConnectError.from(error).code;
  }
}

const SHARE_MS = 1_500;

describe("the invoker service", () => {
  it("learns functions from the fleet and tries them", async () => {
    const url = await httpFunction((request, response) => {
      request.resume();
      response.end('{"answer":42}');
    });
    const { address, heard, say } = await startFleet();
    const { service, client } = await startService(address);
    expect(await kindOf(client, "f")).toBe(Code.Unavailable);
    await eventually(() => heard[0]?.case).toBe("hello");
    expect(heard[0]?.value).toMatchObject({
      kind: fleet.NodeKind.INVOKER,
      address: service.grpc,
    });
    say(functions({ name: "f", url }));
    await eventually(() => kindOf(client, "f")).toBe(invoker.OutcomeKind.SUCCESS);
    const response = await client.invoke({ functionName: "f", payload: Buffer.from("{}") });
    expect(Buffer.from(response.responsePayload).toString()).toBe('{"answer":42}');
    expect(response.outcome?.statusCode).toBe(200);
    expect(await kindOf(client, "g")).toBe(Code.NotFound);
    const oversize = Buffer.alloc(7 * 1024 * 1024);
    await expect(client.invoke({ functionName: "f", payload: oversize })).rejects.toMatchObject({
      code: Code.InvalidArgument,
    });
    say(functions());
    await eventually(() => kindOf(client, "f")).toBe(Code.NotFound);
  });

  it("I-4: calls a function with a limit only under a share that has not lapsed, and reports its use", async () => {
    const url = await httpFunction((request, response) => {
      request.resume();
      response.end();
    });
    const { address, heard, say } = await startFleet();
    const { client } = await startService(address);
    say(functions({ name: "f", url, maxConcurrency: 1 }));
    await eventually(() => kindOf(client, "f")).toBe(invoker.OutcomeKind.THROTTLED);
    say({
      case: "concurrencyShares",
      value: create(fleet.ConcurrencySharesSchema, {
        shares: [{ functionName: "f", callsMax: 1 }],
        lease: { seconds: 1n, nanos: (SHARE_MS - 1_000) * 1_000_000 },
      }),
    });
    await eventually(() => kindOf(client, "f")).toBe(invoker.OutcomeKind.SUCCESS);
    await eventually(() => kindOf(client, "f")).toBe(invoker.OutcomeKind.THROTTLED);
    await eventually(() => heard.some((message) => message.case === "shareUse")).toBe(true);
  });

  it("S-01: refuses its own ports, also those that the system chose", async () => {
    const { address, say } = await startFleet();
    const { service, client } = await startService(address);
    say(
      functions(
        { name: "grpc", url: `http://${service.grpc}/` },
        { name: "http", url: `http://${service.http}/healthz` },
        { name: "mapping", url: `http://${address}/` },
      ),
    );
    for (const name of ["grpc", "http", "mapping"]) {
      await eventually(() => kindOf(client, name)).toBe(invoker.OutcomeKind.UNREACHABLE);
    }
  });

  it("serves pollers over InvokeStream, keeps its functions when the fleet is gone, and stops while idle at once", async () => {
    const url = await httpFunction((request, response) => {
      request.resume();
      response.end();
    });
    const { address, say } = await startFleet();
    const { service, client } = await startService(address);
    say(functions({ name: "f", url }));
    await eventually(() => kindOf(client, "f")).toBe(invoker.OutcomeKind.SUCCESS);
    const pool = startPool([service.grpc]);
    await expect(pool.invoke(CALL)).resolves.toEqual({ kind: "success" });
    const metrics = await (await fetch(`http://${service.http}/metrics`)).text();
    expect(metrics).toContain("penstock_invocation_duration_seconds");
    expect((await fetch(`http://${service.http}/readyz`)).status).toBe(200);
    const startedMs = performance.now();
    await service.stop();
    expect(performance.now() - startedMs).toBeLessThan(3_000);
  });
});
