import { GRPC_FUNCTION, HTTP_FUNCTION, TOPIC } from "../demo/demo-flow.ts";
import type { PortName, QuickStartSettings } from "../quick-start-settings.ts";
import type { TableRow } from "./screen.ts";

export interface Servers {
  readonly databaseUrl: string;
  readonly bootstrapServers: string;
}

const SERVICES = new Set(["mapping", "invoker", "poller"]);

/** What runs where. A server of the user's own has no process of ours, and its address shows no password. */
export function overview(
  settings: QuickStartSettings,
  ports: Readonly<Record<PortName, number>>,
  servers: Servers,
  pidOf: (part: string) => number | undefined,
): TableRow[] {
  const row = (name: string, address: string, note: string): TableRow => {
    const pid = pidOf(settings.isStandalone && SERVICES.has(name) ? "standalone" : name);
    return { name, address, pid: pid === undefined ? "" : `pid ${pid}`, note };
  };
  const both = (grpc: number, http: number): string =>
    `gRPC 127.0.0.1:${grpc}  HTTP 127.0.0.1:${http}`;
  const database = settings.databaseUrl ? "yours (DATABASE_URL)" : "embedded";
  const brokers = settings.bootstrapServers
    ? "yours (KAFKA_BOOTSTRAP_SERVERS)"
    : `local; topic ${TOPIC}`;
  return [
    row("Postgres", hostOf(servers.databaseUrl), database),
    row("Kafka", servers.bootstrapServers, brokers),
    row("mapping", both(ports.mappingGrpc, ports.mappingHttp), "control plane"),
    row("invoker", both(ports.invokerGrpc, ports.invokerHttp), "calls the functions"),
    row("poller", both(ports.pollerGrpc, ports.pollerHttp), "reads the topic"),
    row(HTTP_FUNCTION, `http://127.0.0.1:${ports.httpFunction}`, "an HTTP function"),
    row(GRPC_FUNCTION, `127.0.0.1:${ports.grpcFunction}`, "a gRPC function"),
  ];
}

/** Host and port of a database URL: the rest is secret. */
function hostOf(databaseUrl: string): string {
  try {
    return new URL(databaseUrl).host;
  } catch {
    return "(as given)";
  }
}
