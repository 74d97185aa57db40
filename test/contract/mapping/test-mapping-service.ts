import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";
import { parseMappingSettings, startMappingService } from "@penstock/mapping-service";
import { mapping } from "@penstock/proto";
import { createRpcTransport, type Logger, type Service } from "@penstock/runtime";
import { silentLog } from "../postgres/test-postgres.ts";

/** The mapping service on free ports, and clients that talk gRPC to it. */
export interface TestMappingService {
  readonly service: Service;
  readonly mappings: Client<typeof mapping.MappingService>;
  readonly functions: Client<typeof mapping.FunctionService>;
  readonly dataDir: string;
  stop(): Promise<void>;
}

export interface TestMappingOptions {
  readonly env?: Record<string, string>;
  readonly log?: Logger;
  /** The folder of another one, to share its key. */
  readonly dataDir?: string;
}

export async function startTestMappingService(
  databaseUrl: string,
  options: TestMappingOptions = {},
): Promise<TestMappingService> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "penstock-mapping-"));
  const settings = parseMappingSettings({
    DATABASE_URL: databaseUrl,
    PENSTOCK_MAPPING_GRPC_PORT: "0",
    PENSTOCK_MAPPING_HTTP_PORT: "0",
    PENSTOCK_DATA_DIR: dataDir,
    ...options.env,
  });
  const service = await startMappingService(settings, { log: options.log ?? silentLog });
  const transport = createRpcTransport({ address: service.grpc });
  return {
    service,
    mappings: createClient(mapping.MappingService, transport),
    functions: createClient(mapping.FunctionService, transport),
    dataDir,
    async stop() {
      transport.close();
      await service.stop();
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** A create request that is good as it stands. */
export function createRequest(
  changes: Partial<mapping.CreateEventSourceMappingRequest> = {},
): mapping.CreateEventSourceMappingRequest {
  return create(mapping.CreateEventSourceMappingRequestSchema, {
    functionName: "orders",
    selfManagedEventSource: source("127.0.0.1:9092"),
    topics: ["orders"],
    ...changes,
  } as never);
}

export function source(...kafkaBootstrapServers: string[]) {
  return create(mapping.SelfManagedEventSourceSchema, { endpoints: { kafkaBootstrapServers } });
}

/** Puts an HTTP function. */
export async function putFunction(
  { functions }: TestMappingService,
  name: string,
  headers: Record<string, string> = {},
): Promise<mapping.Function | undefined> {
  const answer = await functions.putFunction({
    function: {
      name,
      target: { case: "http", value: { url: "http://127.0.0.1:9/", headers } },
    },
  });
  return answer.function;
}
