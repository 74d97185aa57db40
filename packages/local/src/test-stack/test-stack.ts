/**
 * The servers of a test run: one Kafka and one Postgres on free ports, with data in a temporary folder that
 * goes away at the end. Group sessions are short (8 s, heartbeat 1 s) and Postgres doesn't sync, so tests are quick;
 * both are the real programs. Test files share them: a topic, a group and a database of their own each.
 */
import { randomUUID } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KafkaVersion } from "../kafka/kafka-versions.ts";
import type { LocalKafka } from "../kafka/local-kafka.ts";
import { startKafka } from "../kafka/start-kafka.ts";
import { createDatabase } from "../postgres/create-database.ts";
import { type LocalPostgres, startPostgres } from "../postgres/start-postgres.ts";

/** Members of classic groups ask for their sessions, 45 s by default; a broker that refuses it is asked for less. */
export const SHORT_CLASSIC_SESSIONS = { "group.max.session.timeout.ms": 9_000 } as const;

export interface TestStack {
  readonly kafka: LocalKafka;
  readonly postgres: LocalPostgres;
  /** Stops both and removes their data. */
  stop(): Promise<void>;
}

export async function startTestStack(kafka: { version?: KafkaVersion } = {}): Promise<TestStack> {
  const folder = mkdtempSync(join(tmpdir(), "penstock-test-"));
  // The user that runs Postgres must be able to walk through it.
  chmodSync(folder, 0o711);
  const started = await Promise.allSettled([
    startKafka({
      ...kafka,
      dataDir: join(folder, "kafka"),
      heapMb: 256,
      extraProperties: SHORT_CLASSIC_SESSIONS,
    }),
    startPostgres({ dataDir: join(folder, "postgres"), fsync: false }),
  ]);
  const [broker, postgres] = started;
  async function stop(): Promise<void> {
    const servers = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    await Promise.all(servers.map((server) => server.stop()));
    rmSync(folder, { recursive: true, force: true });
  }
  if (broker.status === "rejected" || postgres.status === "rejected") {
    await stop();
    throw broker.status === "rejected" ? broker.reason : (postgres as PromiseRejectedResult).reason;
  }
  return { kafka: broker.value, postgres: postgres.value, stop };
}

/**
 * A new database for one test file on the server at `serverUrl`: a copy of `template` when given (one
 * with the migrations applied, say), empty otherwise. It goes away with the stack.
 */
export function createTestDatabase(serverUrl: string, template?: string): Promise<string> {
  return createDatabase(serverUrl, `test_${randomUUID().replaceAll("-", "")}`, template);
}
