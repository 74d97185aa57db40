/** What the quick start reads from the environment. All of it is optional; names and defaults are in the table below. */
import { resolve } from "node:path";
import { PenstockError } from "@penstock/core";

/** Ports of the services and functions: what listens there, the variable that moves it, and the default. */
export const PORTS = {
  mappingGrpc: ["mapping service, gRPC", "PENSTOCK_MAPPING_GRPC_PORT", 7400],
  mappingHttp: ["mapping service, HTTP", "PENSTOCK_MAPPING_HTTP_PORT", 7480],
  pollerGrpc: ["poller service, gRPC", "PENSTOCK_POLLER_GRPC_PORT", 7401],
  pollerHttp: ["poller service, HTTP", "PENSTOCK_POLLER_HTTP_PORT", 7481],
  invokerGrpc: ["invoker service, gRPC", "PENSTOCK_INVOKER_GRPC_PORT", 7402],
  invokerHttp: ["invoker service, HTTP", "PENSTOCK_INVOKER_HTTP_PORT", 7482],
  httpFunction: ["HTTP function", "PENSTOCK_HTTP_FUNCTION_PORT", 7490],
  grpcFunction: ["gRPC function", "PENSTOCK_GRPC_FUNCTION_PORT", 7491],
} as const satisfies Record<string, readonly [string, string, number]>;

export type PortName = keyof typeof PORTS;

/** Variables that only the quick start knows; the services would refuse them. */
export const QUICK_START_ONLY: readonly string[] = [
  PORTS.httpFunction[1],
  PORTS.grpcFunction[1],
  "PENSTOCK_KAFKA_PORT",
  "PENSTOCK_POSTGRES_PORT",
];

export interface QuickStartSettings {
  /** The three services in one process. */
  readonly isStandalone: boolean;
  readonly dataDir: string;
  /** A Postgres of the user's own; otherwise one is embedded. */
  readonly databaseUrl: string | undefined;
  /** Brokers of the user's own; otherwise a local Kafka is started. */
  readonly bootstrapServers: string | undefined;
  /** Port of the local Kafka; default 9092 on the first start, then the same again. */
  readonly kafkaPort: number | undefined;
  readonly postgresPort: number | undefined;
  readonly ports: Readonly<Record<PortName, number>>;
}

export function parseQuickStartSettings(
  env: NodeJS.ProcessEnv,
  argv: readonly string[],
): QuickStartSettings {
  const problems: string[] = [];
  const port = (name: string): number | undefined => {
    const text = env[name];
    if (text === undefined || text === "") return undefined;
    if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
    problems.push(`${name} must be a port, 0 to 65535 (0 = any free one)`);
    return undefined;
  };
  const entries = Object.entries(PORTS).map(([key, [, name, usual]]) => [key, port(name) ?? usual]);
  const settings: QuickStartSettings = {
    isStandalone: argv.includes("--standalone"),
    dataDir: resolve(env.PENSTOCK_DATA_DIR || ".penstock"),
    databaseUrl: env.DATABASE_URL || undefined,
    bootstrapServers: env.KAFKA_BOOTSTRAP_SERVERS || undefined,
    kafkaPort: port("PENSTOCK_KAFKA_PORT"),
    postgresPort: port("PENSTOCK_POSTGRES_PORT"),
    ports: Object.fromEntries(entries) as Record<PortName, number>,
  };
  if (problems.length > 0) throw new PenstockError("invalidArgument", problems.join("\n"));
  return Object.freeze(settings);
}
