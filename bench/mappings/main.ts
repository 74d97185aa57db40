/**
 * What many mappings cost the control plane: the mapping service as a process, a real Kafka with one topic, and nodes that say that they run
 * whatever they are told to and do nothing, one for each 200 mappings.
 *
 *   node bench/mappings/main.ts [--settled] [--mappings 10000] [--profile folder]
 *
 * Prints how long all of them take from Creating to Enabled (--settled: they are Enabled, and only placed on the nodes), get and list at the API (one caller after the other), how long one more mapping takes
 * from create to Enabled (which contains at least one whole look of the leader), and statements per second while nothing happens.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createClient } from "@connectrpc/connect";
import { createAdmin } from "@penstock/kafka";
import { startKafka, startPostgres } from "@penstock/local";
import { type Database, migrate, openDatabase } from "@penstock/postgres";
import { mapping } from "@penstock/proto";
import { createRpcTransport } from "@penstock/runtime";
import { Child } from "../stack/child.ts";
import { cpuMicros } from "../stack/process-usage.ts";
import { IdleNode } from "./idle-node.ts";
import { countStatements } from "./statement-counter.ts";

const { values: options } = parseArgs({
  options: {
    settled: { type: "boolean", default: false },
    mappings: { type: "string", default: "10000" },
    profile: { type: "string" },
  },
});
const MAPPINGS = Number(options.mappings);
const PROFILES = options.profile;
const CALLS = 1_000;
const PAGES = 300;
const REACTIONS = 30;
/** Event pollers of one node. */
const PER_NODE = 200;
const IDLE_MS = 30_000;
const ENABLED_LIMIT_MS = 10 * 60_000;
const TOPIC = "bench";
const PARTITIONS = 6;
/** Of the histogram. */
const LOOK_BOUNDS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const nothing = () => {};
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

const dataDir = mkdtempSync(join(tmpdir(), "penstock-mappings-"));
const [kafka, postgres] = await Promise.all([
  startKafka({ dataDir: join(dataDir, "kafka"), heapMb: 512 }),
  startPostgres({ dataDir: join(dataDir, "postgres") }),
]);
const admin = createAdmin({ bootstrapServers: [kafka.bootstrapServers] });
await admin.createTopic(TOPIC, { partitions: PARTITIONS });
const { topicId } = await admin.describeTopic(TOPIC);
await admin.close();
const db = openDatabase({ url: postgres.url, log, statementMs: 120_000 });
await migrate(db, log);
await insertMappings(db);

const counter = await countStatements(postgres.url);
const service = new Child({
  name: "mapping",
  command: process.execPath,
  arguments: [
    ...(PROFILES === undefined ? [] : ["--cpu-prof", "--cpu-prof-dir", PROFILES]),
    join(import.meta.dirname, "../../services/mapping/src/main.ts"),
  ],
  env: {
    PATH: process.env.PATH,
    DATABASE_URL: counter.url,
    PENSTOCK_DATA_DIR: join(dataDir, "penstock"),
    PENSTOCK_MAPPING_GRPC_PORT: "0",
    PENSTOCK_MAPPING_HTTP_PORT: "0",
    PENSTOCK_ALLOW_PRIVATE_ADDRESSES: "true",
  },
});
const ready = await service.line((line) => line.includes('"msg":"ready"'));
const { grpc, http } = JSON.parse(ready) as { grpc: string; http: string };
const mappings = createClient(mapping.MappingService, createRpcTransport({ address: grpc }));
const startedMs = performance.now();
const nodes = Array.from({ length: Math.ceil(MAPPINGS / PER_NODE) }, () => new IdleNode(grpc));
await untilAllEnabled(db);
say("all Enabled and held after", `${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
await delay(15_000);

const ids = await db.sql<
  { id: string }[]
>`select id from mappings order by random() limit ${CALLS}`;
await measure("get", ids.length, (index) =>
  mappings.getEventSourceMapping({ uuid: ids[index]?.id ?? "" }),
);
let pageToken = "";
await measure("list, 100 on a page", PAGES, async () => {
  pageToken = (await mappings.listEventSourceMappings({ pageToken })).nextPageToken;
});
await measure("list of one function", PAGES, (index) =>
  mappings.listEventSourceMappings({ functionName: `bench:v${index + 1}` }),
);
const looksBefore = await readLooks(http);
await measure("create to Enabled", REACTIONS, react);
const looks = (await readLooks(http)).map((count, index) => count - (looksBefore[index] ?? 0));
const [total = 0] = looks.slice(-1);
const within = LOOK_BOUNDS_S.find((_, index) => (looks[index] ?? 0) >= total * 0.99);
say("look of the leader meanwhile", `p99 within ${within ?? "more than 10"} s (${total} looks)`);

await delay(5_000);
const before = counter.count;
const cpuBefore = cpuMicros([service.pid]);
const idleMs = performance.now();
await delay(IDLE_MS);
const perSecond = (counter.count - before) / ((performance.now() - idleMs) / 1000);
say("statements per second when idle", perSecond.toFixed(1));
const cpuShare = (cpuMicros([service.pid]) - cpuBefore) / 1000 / (performance.now() - idleMs);
say("processor when idle", `${(cpuShare * 100).toFixed(1)} % of a core`);

for (const node of nodes) node.stop();
await service.stop();
counter.close();
await db.close();
await Promise.all([kafka.stop(), postgres.stop()]);
rmSync(dataDir, { recursive: true, force: true });
process.exit(0);

/** One function, and a version of it for each mapping: as many functions as the duplicate rule wants. */
async function insertMappings({ sql }: Database): Promise<void> {
  await sql`
    insert into functions (name, revision, target_kind, target, timeout_ms, payload_bytes_max)
    values ('bench', 1, 'http', '{"url": "http://127.0.0.1:9/", "header_names": []}', 60000, 1048576)`;
  const arn = "arn:aws:lambda:us-east-1:000000000000:function:bench:v";
  await sql`
    insert into mappings (id, function_arn, function_name, function_qualifier, bootstrap_servers, topic, consumer_group_id,
                          batch_size, starting_position, is_enabled, state, are_starts_pinned, topic_id, partition_count)
    select id, ${arn} || n, 'bench', 'v' || n, ${[kafka.bootstrapServers]}::text[], ${TOPIC}, id::text,
           100, 'TRIM_HORIZON', true, ${options.settled ? "Enabled" : "Creating"}, ${options.settled},
           ${options.settled ? topicId : null}::uuid, ${options.settled ? PARTITIONS : null}::int
      from (select n, gen_random_uuid() as id from generate_series(1, ${MAPPINGS}::int) as n) as made`;
  await sql`
    insert into mapping_sources (function_arn, bootstrap_server, topic, mapping_id)
    select function_arn, bootstrap_servers[1], topic, id from mappings`;
  await sql`analyze`;
}

async function untilAllEnabled({ sql }: Database): Promise<void> {
  const end = performance.now() + ENABLED_LIMIT_MS;
  for (;;) {
    const rows = await sql<{ state: string; problem: string | null; count: number }[]>`
      select state, problem_code as problem, count(*)::int from mappings group by 1, 2`;
    const held = await sql`select count(*)::int from holdings`;
    const areEnabled = rows.every((row) => row.state === "Enabled" && row.problem === null);
    if (areEnabled && held[0]?.count === MAPPINGS) return;
    if (performance.now() > end) throw new Error(`not all Enabled: ${JSON.stringify(rows)}`);
    await delay(500);
  }
}

/** How many looks took at most each of the bounds, and how many there were. */
async function readLooks(address: string): Promise<number[]> {
  const text = await (await fetch(`http://${address}/metrics`)).text();
  const counts = text.matchAll(
    /^penstock_leader_look_duration_seconds_bucket\{.*le="[^"]+".*\} (\d+)/gm,
  );
  return [...counts].map(([, count]) => Number(count));
}

async function react(index: number): Promise<void> {
  const { eventSourceMapping } = await mappings.createEventSourceMapping({
    functionName: `bench:reaction-${index}`,
    selfManagedEventSource: { endpoints: { kafkaBootstrapServers: [kafka.bootstrapServers] } },
    topics: [TOPIC],
  });
  const uuid = eventSourceMapping?.uuid ?? "";
  for await (const message of mappings.watchEventSourceMapping({ uuid })) {
    if (message.eventSourceMapping?.state === mapping.MappingState.ENABLED) return;
  }
}

async function measure(
  name: string,
  times: number,
  call: (index: number) => Promise<unknown>,
): Promise<void> {
  const tookMs: number[] = [];
  for (let index = 0; index < times; index++) {
    const beganMs = performance.now();
    await call(index);
    tookMs.push(performance.now() - beganMs);
  }
  tookMs.sort((a, b) => a - b);
  const quantile = (share: number) => (tookMs[Math.floor(times * share)] ?? 0).toFixed(1);
  say(name, `p50 ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms (${times} calls)`);
}

function say(name: string, figure: string): void {
  process.stdout.write(`${name.padEnd(32)} ${figure}\n`);
}
