/**
 * The mapping service with its AWS endpoint, on a database of its own in which nobody leads: no controller moves what a test has set, and a test moves
 * mappings itself.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestDatabase } from "@penstock/local";
import { type Database, migrate, openDatabase } from "@penstock/postgres";
import { waitUntil } from "@penstock/testkit";
import { startTestMappingService } from "../mapping/test-mapping-service.ts";
import { silentLog } from "../postgres/test-postgres.ts";

export const MAPPINGS = "/2015-03-31/event-source-mappings";
export const ACCOUNT = "000000000000";
export const FUNCTION_ARN = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:my-kafka-function`;
/** There is a local key for it. */
export const KMS_KEY = `arn:aws:kms:us-east-1:${ACCOUNT}:key/11111111-2222-3333-4444-555555555555`;

const FUNCTIONS = ["my-kafka-function", "orders"].map((name) => ({
  name,
  http: { url: "http://127.0.0.1:9/" },
}));

/** An answer as it came over the wire. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: any JSON, judged by the test
  readonly json: any;
  /** The name of the error, null when it is none. */
  readonly errorType: string | null;
}

export interface AwsWorld {
  readonly endpoint: string;
  readonly db: Database;
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<WireAnswer>;
  /** A new mapping on a topic of its own, in state Enabled. */
  createEnabled(members?: object): Promise<string>;
  /** What the controllers would do. */
  settle(uuid: string, state?: string): Promise<void>;
  stop(): Promise<void>;
}

/** @param postgres `inject("POSTGRES")` */
export async function startAwsWorld(
  postgres: string,
  env: Record<string, string> = {},
): Promise<AwsWorld> {
  const databaseUrl = await createTestDatabase(postgres);
  const db = openDatabase({ url: databaseUrl, log: silentLog });
  await migrate(db, silentLog);
  await db.sql`update leadership set lease_until = 'infinity'`;
  const folder = mkdtempSync(join(tmpdir(), "penstock-aws-"));
  const functions = join(folder, "functions.yaml");
  writeFileSync(functions, JSON.stringify({ functions: FUNCTIONS }));
  const keys = join(folder, "keys.yaml");
  writeFileSync(keys, JSON.stringify({ keys: [{ arn: KMS_KEY, key_file: "1.key" }] }));
  writeFileSync(join(folder, "1.key"), randomBytes(32).toString("base64"), { mode: 0o600 });
  const service = await startTestMappingService(databaseUrl, {
    env: { PENSTOCK_FUNCTIONS: functions, PENSTOCK_KMS_KEYS: keys, ...env },
  });
  const endpoint = `http://${service.service.http}`;
  await waitUntil("it is ready", async () => (await fetch(`${endpoint}/readyz`)).ok);
  const call: AwsWorld["call"] = async (method, path, body, headers) => {
    const hasBody = body !== undefined;
    const response = await fetch(`${endpoint}${path}`, {
      method,
      headers: { ...(hasBody && { "content-type": "application/json" }), ...headers },
      ...(hasBody && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: text === "" ? null : JSON.parse(text),
      errorType: response.headers.get("x-amzn-errortype"),
    };
  };
  const settle: AwsWorld["settle"] = async (uuid, state = "Enabled") => {
    await db.sql`update mappings set state = ${state} where id = ${uuid}`;
  };
  return {
    endpoint,
    db,
    call,
    settle,
    async createEnabled(members) {
      const { status, text, json } = await call("POST", MAPPINGS, createBody(members));
      if (status !== 202) throw new Error(`not created: ${text}`);
      await settle(json.UUID);
      return json.UUID as string;
    },
    async stop() {
      await service.stop();
      await db.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A folder for PENSTOCK_SECRETS_DIR. */
export interface SecretsFolder {
  readonly path: string;
  /** Puts a secret that these brokers may have. */
  put(name: string, content: object, brokers: readonly string[]): void;
  remove(): void;
}

export function createSecretsFolder(): SecretsFolder {
  const path = mkdtempSync(join(tmpdir(), "penstock-secrets-"));
  return {
    path,
    put(name, content, brokers) {
      writeFileSync(join(path, name), JSON.stringify(content), { mode: 0o600 });
      writeFileSync(join(path, `${name}.policy.yaml`), JSON.stringify({ brokers }));
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

let topics = 0;
export const newTopic = () => `topic-${++topics}`;

/** A CreateEventSourceMapping that is good as it stands. */
export function createBody(members: object = {}): object {
  return {
    FunctionName: "orders",
    SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ["127.0.0.1:9092"] } },
    Topics: [newTopic()],
    ...members,
  };
}
