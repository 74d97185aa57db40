import type { ConnectRouter, ServiceImpl } from "@connectrpc/connect";
import { fleet } from "@penstock/proto";
import { createLogger, type RpcServer, startRpcServer } from "@penstock/runtime";

export type FleetImplementation = Partial<ServiceImpl<typeof fleet.FleetService>>;

/** Log lines of what a test runs. */
export function capturedLog() {
  const lines: string[] = [];
  const log = createLogger({
    service: "test",
    level: "debug",
    destination: { write: (line) => void lines.push(line) },
  });
  return { log, lines };
}

/** The service that the tests of the plumbing serve: any would do. */
export function fleetRoutes(implementation: FleetImplementation) {
  return (router: ConnectRouter): void => {
    router.service(fleet.FleetService, implementation);
  };
}

export interface FleetServer extends RpcServer {
  readonly address: string;
  readonly lines: readonly string[];
}

/** A real gRPC server on a free port. */
export async function startFleetServer(
  implementation: FleetImplementation,
  options: Partial<Parameters<typeof startRpcServer>[0]> = {},
): Promise<FleetServer> {
  const { log, lines } = capturedLog();
  const server = await startRpcServer({
    host: "127.0.0.1",
    port: 0,
    log,
    services: [fleet.FleetService],
    routes: fleetRoutes(implementation),
    ...options,
  });
  return { ...server, address: `127.0.0.1:${server.port}`, lines };
}

/** Answers with one position that echoes the mapping's id length. */
export const ECHO: FleetImplementation = {
  getPositions: ({ partitions }) => ({
    positions: partitions.map((partition) => ({
      partition,
      committedOffset: 9_007_199_254_740_993n,
    })),
  }),
};
