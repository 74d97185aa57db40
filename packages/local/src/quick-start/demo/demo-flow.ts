/** The flow that the quick start shows: topic `orders` to an HTTP function and to a gRPC function. Setting it up again changes nothing. */
import type { MappingApi } from "./mapping-api.ts";

export const TOPIC = "orders";
export const PARTITIONS = 6;
export const HTTP_FUNCTION = "orders-http";
export const GRPC_FUNCTION = "orders-grpc";

export interface DemoTargets {
  httpFunctionUrl: string;
  /** host:port */
  grpcFunctionAddress: string;
  bootstrapServers: string;
}

export async function putDemoFlow(api: MappingApi, targets: DemoTargets): Promise<void> {
  await Promise.all([
    api.putFunction({
      name: HTTP_FUNCTION,
      http: { url: targets.httpFunctionUrl },
    }),
    api.putFunction({
      name: GRPC_FUNCTION,
      grpc: { address: targets.grpcFunctionAddress },
    }),
  ]);
  await Promise.all([
    ensureMapping(api, HTTP_FUNCTION, targets.bootstrapServers),
    ensureMapping(api, GRPC_FUNCTION, targets.bootstrapServers),
  ]);
}

async function ensureMapping(
  api: MappingApi,
  functionName: string,
  bootstrapServers: string,
): Promise<void> {
  const servers = bootstrapServers.split(",").map((server) => server.trim());
  const isThere = (await api.mappingsOf(functionName)).some(
    ({ topics, selfManagedEventSource }) =>
      topics?.[0] === TOPIC &&
      selfManagedEventSource?.endpoints?.kafkaBootstrapServers?.some((server) =>
        servers.includes(server),
      ),
  );
  if (isThere) return;
  await api.createMapping({
    functionName,
    selfManagedEventSource: { endpoints: { kafkaBootstrapServers: servers } },
    topics: [TOPIC],
    startingPosition: "STARTING_POSITION_TRIM_HORIZON",
  });
}
