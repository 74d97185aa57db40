// Health and reflection, as grpcurl and load balancers ask for them.
import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, createClient } from "@connectrpc/connect";
import { fleet } from "@penstock/proto";
import { createRpcTransport, health, reflection, reflectionAlpha } from "@penstock/runtime";
import { beforeEach, describe, expect, it } from "vitest";
import { ECHO, type FleetServer, startFleetServer } from "./fleet-service.ts";
import { stopAfterEach } from "./stoppable.ts";

const { Health, HealthCheckResponse_ServingStatus: Status } = health;
const { ServerReflection } = reflection;

const keep = stopAfterEach();
let server: FleetServer;
let transport: ReturnType<typeof createRpcTransport>;

beforeEach(async () => {
  server = keep(await startFleetServer(ECHO));
  transport = createRpcTransport({ address: server.address });
  keep({ stop: async () => transport.close() });
});

type Question = { case: "fileContainingSymbol" | "fileByFilename" | "listServices"; value: string };

async function ask(messageRequest: Question, service = ServerReflection) {
  const client = createClient(service, transport);
  for await (const answer of client.serverReflectionInfo(once({ messageRequest }))) {
    return answer.messageResponse;
  }
  throw new Error("no answer");
}

async function* once<T>(message: T) {
  yield message;
}

describe("reflection", () => {
  it.each([
    ["v1", ServerReflection],
    ["v1alpha", reflectionAlpha.ServerReflection as unknown as typeof ServerReflection],
  ])("%s lists every service", async (_version, service) => {
    const answer = await ask({ case: "listServices", value: "*" }, service);
    expect(answer).toMatchObject({ case: "listServicesResponse" });
    expect(JSON.stringify(answer.value)).toContain("penstock.fleet.v1.FleetService");
    expect(JSON.stringify(answer.value)).toContain("grpc.health.v1.Health");
  });

  it.each([
    "penstock.fleet.v1.FleetService",
    "penstock.fleet.v1.FleetService.Join",
    "penstock.fleet.v1.JoinRequest",
    "penstock.fleet.v1.JoinRequest.hello",
    "penstock.fleet.v1.JoinRequest.message",
    "penstock.fleet.v1.NodeKind",
    ".penstock.fleet.v1.Hello",
  ])("gives the file of %s with all that it imports, well-known types included", async (symbol) => {
    const answer = await ask({ case: "fileContainingSymbol", value: symbol });
    if (answer.case !== "fileDescriptorResponse") throw new Error(answer.case);
    const files = answer.value.fileDescriptorProto.map((bytes) =>
      fromBinary(FileDescriptorProtoSchema, bytes),
    );
    expect(files[0]?.name).toBe("penstock/fleet/v1/fleet.proto");
    expect(files.map(({ name }) => name)).toContain("google/protobuf/timestamp.proto");
    const registry = createFileRegistry(
      create(FileDescriptorSetSchema, { file: files.toReversed() }),
    );
    expect(registry.getService(fleet.FleetService.typeName)).toBeDefined();
  });

  it("gives a file by name, and the types of error details", async () => {
    const byName = await ask({ case: "fileByFilename", value: "google/protobuf/duration.proto" });
    expect(byName.case).toBe("fileDescriptorResponse");
    const details = await ask({ case: "fileContainingSymbol", value: "google.rpc.ErrorInfo" });
    expect(details.case).toBe("fileDescriptorResponse");
  });

  it.each(["nope", "", "penstock.fleet.v1.FleetService.Nope", "__proto__"])(
    "says NOT_FOUND for %j",
    async (symbol) => {
      const answer = await ask({ case: "fileContainingSymbol", value: symbol });
      expect(answer).toMatchObject({ case: "errorResponse", value: { errorCode: Code.NotFound } });
    },
  );
});

describe("health", () => {
  it("answers for the server and each service, as it was told", async () => {
    const client = createClient(Health, transport);
    expect((await client.check({})).status).toBe(Status.SERVING);
    server.setHealth(false);
    const service = fleet.FleetService.typeName;
    expect((await client.check({ service })).status).toBe(Status.NOT_SERVING);
    await expect(client.check({ service: "nope" })).rejects.toMatchObject({ code: Code.NotFound });
    expect(Object.keys((await client.list({})).statuses)).toEqual(["", service]);
  });

  it("tells a watcher of each change, and of the end", async () => {
    const client = createClient(Health, transport);
    const seen: health.HealthCheckResponse_ServingStatus[] = [];
    const watching = (async () => {
      for await (const { status } of client.watch({})) {
        seen.push(status);
        if (seen.length === 1) server.setHealth(false);
        if (seen.length === 2) server.setHealth(true);
        if (seen.length === 3) void server.stop();
      }
    })();
    await expect(watching).rejects.toMatchObject({ code: Code.Unavailable });
    expect(seen.slice(0, 3)).toEqual([Status.SERVING, Status.NOT_SERVING, Status.SERVING]);
  });

  it("keeps a watcher of an unknown service waiting", async () => {
    const client = createClient(Health, transport);
    const ends = new AbortController();
    const watching = client.watch({ service: "nope" }, { signal: ends.signal });
    for await (const { status } of watching) {
      expect(status).toBe(Status.SERVICE_UNKNOWN);
      break;
    }
    ends.abort();
  });
});
