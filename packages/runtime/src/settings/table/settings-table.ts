/**
 * Every setting of every service, in one table: name, kind, bounds, default and what it is for. A service picks the ones it reads:
 *
 *     parseSettings({ host: SETTINGS.host, grpcPort: SETTINGS.pollerGrpcPort }, env)
 *
 * `.env.example` is written from this table.
 */

import { invokerChoice } from "../kinds/invoker-choice.ts";
import { address, flag, integer, list, port, secret, text } from "../kinds/setting-kinds.ts";
import { AWS_SETTINGS } from "./aws-settings.ts";
import { KAFKA_SETTINGS } from "./kafka-settings.ts";
import { MAPPING_API } from "./mapping-api-settings.ts";
import { OUTBOUND_SETTINGS, SECRETS_SETTINGS } from "./secrets-settings.ts";
import { SECURITY_SETTINGS } from "./security-settings.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const SECOND = 1000;
const MINUTE = 60 * SECOND;

const ADDRESSES = {
  host: text({
    name: "PENSTOCK_HOST",
    default: "127.0.0.1",
    description:
      "Address that the listeners bind. Anything but loopback opens the ports to others.",
  }),
  advertisedHost: text({
    name: "PENSTOCK_ADVERTISED_HOST",
    description:
      "Host that other services dial. Default: PENSTOCK_HOST, or the name of the machine when bound to every address.",
  }),
  httpHosts: list({
    name: "PENSTOCK_HTTP_HOSTS",
    description:
      "More names under which the HTTP ports answer (Host header), such as a compose service name or that of an ingress.",
  }),
  mappingGrpcPort: port({
    name: "PENSTOCK_MAPPING_GRPC_PORT",
    default: 7400,
    description: "gRPC port of the mapping service. 0 = any free port.",
  }),
  mappingHttpPort: port({
    name: "PENSTOCK_MAPPING_HTTP_PORT",
    default: 7480,
    description: "HTTP port of the mapping service. 0 = any free port.",
  }),
  pollerGrpcPort: port({
    name: "PENSTOCK_POLLER_GRPC_PORT",
    default: 7401,
    description: "gRPC port of the poller service. 0 = any free port.",
  }),
  pollerHttpPort: port({
    name: "PENSTOCK_POLLER_HTTP_PORT",
    default: 7481,
    description: "HTTP port of the poller service. 0 = any free port.",
  }),
  invokerGrpcPort: port({
    name: "PENSTOCK_INVOKER_GRPC_PORT",
    default: 7402,
    description: "gRPC port of the invoker service. 0 = any free port.",
  }),
  invokerHttpPort: port({
    name: "PENSTOCK_INVOKER_HTTP_PORT",
    default: 7482,
    description: "HTTP port of the invoker service. 0 = any free port.",
  }),
  mappingService: address({
    name: "PENSTOCK_MAPPING_SERVICE",
    default: "127.0.0.1:7400",
    description: "gRPC address of the mapping service, dialled by pollers and invokers.",
  }),
  invoker: invokerChoice({
    name: "PENSTOCK_INVOKER",
    description: "Invokers that a poller uses. Unset: those of the fleet.",
  }),
};

const STATE = {
  databaseUrl: secret({
    name: "DATABASE_URL",
    isRequired: true,
    description:
      "Postgres of the mapping service, such as postgres://user:password@host:5432/name.",
  }),
  kafkaBootstrapServers: text({
    name: "KAFKA_BOOTSTRAP_SERVERS",
    description:
      "Brokers of the quick start (npm start), host:port[,host:port]; unset: it runs its own. A mapping names its own brokers.",
  }),
  dataDir: text({
    name: "PENSTOCK_DATA_DIR",
    default: ".penstock",
    description: "Folder for local data.",
  }),
  encryptionKeyFile: text({
    name: "PENSTOCK_ENCRYPTION_KEY_FILE",
    description:
      "Key for header values at rest and for digests of requests (mapping service; all replicas need the same). Default: created in PENSTOCK_DATA_DIR, readable by its owner alone.",
  }),
  functions: text({
    name: "PENSTOCK_FUNCTIONS",
    description: "YAML file of functions that the mapping service registers at start.",
  }),
  historyFile: text({
    name: "PENSTOCK_HISTORY_FILE",
    description:
      "File to which a poller appends each dispatch, settlement and commit as JSON lines, for audits and tests.",
  }),
  region: text({
    name: "PENSTOCK_REGION",
    default: "us-east-1",
    description: "Region in ARNs.",
  }),
  accountId: text({
    name: "PENSTOCK_ACCOUNT_ID",
    default: "000000000000",
    description: "Account in ARNs.",
  }),
};

const BEHAVIOUR = {
  allowPrivateAddresses: flag({
    name: "PENSTOCK_ALLOW_PRIVATE_ADDRESSES",
    default: false,
    description:
      "Lets functions and brokers have loopback and private addresses. Metadata and link-local addresses stay refused.",
  }),
  logLevel: text({
    name: "PENSTOCK_LOG_LEVEL",
    default: "info",
    oneOf: ["debug", "info", "warn", "error"],
    description: "Least level of log lines.",
  }),
  drainLimitMs: integer({
    name: "PENSTOCK_DRAIN_LIMIT_MS",
    min: 0,
    max: 15 * MINUTE,
    default: 25 * SECOND,
    description: "How long a partition or a process that is given up may finish its calls.",
  }),
  shutdownDeadlineMs: integer({
    name: "PENSTOCK_SHUTDOWN_DEADLINE_MS",
    min: 100,
    max: 20 * MINUTE,
    default: 30 * SECOND,
    description:
      "When a process that was told to stop ends anyway. Longer than PENSTOCK_DRAIN_LIMIT_MS.",
  }),
  nodeVanishedMs: integer({
    name: "PENSTOCK_NODE_VANISHED_MS",
    min: 1 * SECOND,
    max: 10 * MINUTE,
    default: 15 * SECOND,
    description:
      "How long a node's stream may be gone before its event pollers are placed elsewhere.",
  }),
};

const LIMITS = {
  bufferBytesMax: integer({
    name: "PENSTOCK_BUFFER_BYTES_MAX",
    min: 8 * MIB,
    max: 64 * KIB * MIB,
    default: 256 * MIB,
    description: "Fetched bytes that a poller node holds at most.",
  }),
  rpcMessageBytesMax: integer({
    name: "PENSTOCK_RPC_MESSAGE_BYTES_MAX",
    min: 64 * KIB,
    max: 256 * MIB,
    default: 16 * MIB,
    description: "Largest RPC message, received or sent.",
  }),
  rpcDeadlineMsMax: integer({
    name: "PENSTOCK_RPC_DEADLINE_MS_MAX",
    min: 1 * SECOND,
    max: 60 * MINUTE,
    default: 15 * MINUTE,
    description: "Longest deadline that a caller may ask for; a single call without one gets this.",
  }),
  httpBodyBytesMax: integer({
    name: "PENSTOCK_HTTP_BODY_BYTES_MAX",
    min: 64 * KIB,
    max: 256 * MIB,
    default: 16 * MIB,
    description: "Largest body of a request on an HTTP port.",
  }),
  logBufferBytesMax: integer({
    name: "PENSTOCK_LOG_BUFFER_BYTES_MAX",
    min: 64 * KIB,
    max: 256 * MIB,
    default: 4 * MIB,
    description:
      "Log bytes held for a reader that stalls; beyond it lines are dropped and counted.",
  }),
};

const TELEMETRY = {
  otlpEndpoint: text({
    name: "OTEL_EXPORTER_OTLP_ENDPOINT",
    description:
      "OpenTelemetry collector (OTLP over HTTP, such as http://127.0.0.1:4318). Unset: no export; /metrics works anyway.",
  }),
  otlpHeaders: secret({
    name: "OTEL_EXPORTER_OTLP_HEADERS",
    description: "Headers for the collector, key=value[,key=value].",
  }),
  metricExportIntervalMs: integer({
    name: "OTEL_METRIC_EXPORT_INTERVAL",
    min: 1 * SECOND,
    max: 60 * MINUTE,
    default: 60 * SECOND,
    description: "Milliseconds between two exports of metrics.",
  }),
  tracesSampler: text({
    name: "OTEL_TRACES_SAMPLER",
    default: "parentbased_always_on",
    oneOf: [
      "always_on",
      "always_off",
      "traceidratio",
      "parentbased_always_on",
      "parentbased_always_off",
      "parentbased_traceidratio",
    ],
    description: "Which traces are recorded, when they are exported at all.",
  }),
  tracesSamplerArgument: text({
    name: "OTEL_TRACES_SAMPLER_ARG",
    description: "Share of traces for the traceidratio samplers, 0 to 1.",
  }),
  otlpMetricsEndpoint: text({
    name: "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    description: "Whole URL for metrics, instead of /v1/metrics of the collector.",
  }),
  otlpTracesEndpoint: text({
    name: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    description: "Whole URL for traces, instead of /v1/traces of the collector.",
  }),
  metricsExporter: text({
    name: "OTEL_METRICS_EXPORTER",
    description: "none: metrics are not exported.",
  }),
  tracesExporter: text({
    name: "OTEL_TRACES_EXPORTER",
    description: "none: traces are not exported.",
  }),
  resourceAttributes: text({
    name: "OTEL_RESOURCE_ATTRIBUTES",
    description: "More attributes of the process, key=value[,key=value].",
  }),
  serviceName: text({
    name: "OTEL_SERVICE_NAME",
    description: "Name of the service in telemetry, instead of penstock-mapping and so on.",
  }),
  sdkDisabled: text({
    name: "OTEL_SDK_DISABLED",
    description: "true: nothing is exported.",
  }),
};

const QUICK_START = {
  kafkaPort: port({
    name: "PENSTOCK_KAFKA_PORT",
    default: 9092,
    description:
      "Port of the local Kafka on its first start, and then the same again. 0 = any free port.",
  }),
  postgresPort: port({
    name: "PENSTOCK_POSTGRES_PORT",
    default: 0,
    description:
      "Port of the local Postgres on its first start, and then the same again. 0 = any free port.",
  }),
  httpFunctionPort: port({
    name: "PENSTOCK_HTTP_FUNCTION_PORT",
    default: 7490,
    description: "Port of the example function over HTTP. 0 = any free port.",
  }),
  grpcFunctionPort: port({
    name: "PENSTOCK_GRPC_FUNCTION_PORT",
    default: 7491,
    description: "Port of the example function over gRPC. 0 = any free port.",
  }),
};

/** The groups in the order in which people read them. */
export const SETTING_GROUPS = {
  Addresses: ADDRESSES,
  "State and identity": STATE,
  "Mapping API": MAPPING_API,
  "AWS API": AWS_SETTINGS,
  Security: SECURITY_SETTINGS,
  Secrets: SECRETS_SETTINGS,
  "What may be dialled": OUTBOUND_SETTINGS,
  Kafka: KAFKA_SETTINGS,
  Behaviour: BEHAVIOUR,
  Limits: LIMITS,
  Telemetry: TELEMETRY,
  "Quick start (npm start)": QUICK_START,
} as const;

export const SETTINGS = Object.freeze({
  ...ADDRESSES,
  ...STATE,
  ...SECURITY_SETTINGS,
  ...SECRETS_SETTINGS,
  ...OUTBOUND_SETTINGS,
  ...MAPPING_API,
  ...AWS_SETTINGS,
  ...KAFKA_SETTINGS,
  ...BEHAVIOUR,
  ...LIMITS,
  ...TELEMETRY,
  ...QUICK_START,
});

/** The name of every setting of every service. */
export const KNOWN_SETTINGS: readonly string[] = Object.freeze(
  Object.values(SETTINGS).map((setting) => setting.name),
);
