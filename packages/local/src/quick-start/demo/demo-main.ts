/**
 * The demonstration by itself, beside services that run elsewhere (docker compose): topic, functions, mappings, and a few orders a
 * second until SIGTERM.
 */
import { readFileSync } from "node:fs";
import { putDemoFlow } from "./demo-flow.ts";
import { MappingApi } from "./mapping-api.ts";
import { ensureTopic, startOrderProducer } from "./order-producer.ts";

const { env } = process;
const stopping = new AbortController();
const bootstrapServers = env.KAFKA_BOOTSTRAP_SERVERS ?? "127.0.0.1:9092";
const say = (what: string): void => void process.stdout.write(`${what}\n`);

const tokenFile = env.MAPPING_TOKEN_FILE;
const token = tokenFile === undefined ? null : readFileSync(tokenFile, "utf8").trim();
const api = new MappingApi(env.MAPPING_HTTP ?? "127.0.0.1:7480", stopping.signal, token);

await ensureTopic(bootstrapServers);
await putDemoFlow(api, {
  httpFunctionUrl: env.HTTP_FUNCTION_URL ?? "http://127.0.0.1:7490/",
  grpcFunctionAddress: env.GRPC_FUNCTION_ADDRESS ?? "127.0.0.1:7491",
  bootstrapServers,
});
say("Functions and mappings are there; orders follow.");
const producer = startOrderProducer(bootstrapServers, say);
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => {
    stopping.abort();
    void producer.stop().then(() => process.exit(0));
  });
}
