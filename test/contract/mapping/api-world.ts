import { Code, ConnectError } from "@connectrpc/connect";
import { createTestDatabase } from "@penstock/local";
import { type Database, migrate, openDatabase } from "@penstock/postgres";
import type { mapping } from "@penstock/proto";
import { inject } from "vitest";
import { silentLog, until } from "../postgres/test-postgres.ts";
import {
  createRequest,
  putFunction,
  startTestMappingService,
  type TestMappingOptions,
  type TestMappingService,
} from "./test-mapping-service.ts";

/** A mapping service on a database of its own in which nobody leads, so that no controller moves on what a test has just set. */
export interface ApiWorld extends TestMappingService {
  readonly databaseUrl: string;
  readonly db: Database;
  /** With a topic of its own; in state CREATING. */
  createMapping(changes?: Changes): Promise<mapping.EventSourceMapping>;
  /** The same, and then as a controller would leave it: ENABLED, or DISABLED. */
  createSettled(changes?: Changes): Promise<mapping.EventSourceMapping>;
  /** What a controller would do, `ageMs` ago. */
  setState(uuid: string, state: string, ageMs?: number): Promise<void>;
  read(uuid: string): Promise<mapping.EventSourceMapping>;
}

type Changes = Partial<mapping.CreateEventSourceMappingRequest>;

export async function startApiWorld(options: TestMappingOptions = {}): Promise<ApiWorld> {
  const databaseUrl = await createTestDatabase(inject("POSTGRES"));
  const db = openDatabase({ url: databaseUrl, log: silentLog });
  await migrate(db, silentLog);
  await db.sql`update leadership set lease_until = 'infinity'`;
  const service = await startTestMappingService(databaseUrl, options);
  await until(async () => (await putFunction(service, "orders").catch(() => null)) !== null);
  let topics = 0;
  const read: ApiWorld["read"] = async (uuid) =>
    present((await service.mappings.getEventSourceMapping({ uuid })).eventSourceMapping);
  const setState: ApiWorld["setState"] = async (uuid, state, ageMs = 0) => {
    await db.sql`
      update mappings
         set state = ${state}, state_since = now() - ${ageMs}::int * interval '1 millisecond'
       where id = ${uuid}`;
  };
  const createMapping: ApiWorld["createMapping"] = async (changes = {}) => {
    const request = createRequest({ topics: [`topic-${++topics}`], ...changes });
    return present((await service.mappings.createEventSourceMapping(request)).eventSourceMapping);
  };
  return {
    ...service,
    databaseUrl,
    db,
    read,
    setState,
    createMapping,
    async createSettled(changes = {}) {
      const { uuid } = await createMapping(changes);
      await setState(uuid, changes.enabled === false ? "Disabled" : "Enabled");
      return read(uuid);
    },
    async stop() {
      await service.stop();
      await db.close();
    },
  };
}

/** The error of a call that must fail. */
export async function failure(call: Promise<unknown>): Promise<ConnectError> {
  const error = await call.then(
    () => new Error("the call succeeded"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConnectError)) throw error;
  return error;
}

/** The code of a call that may fail. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "ok",
    (reason: unknown) => Code[ConnectError.from(reason).code],
  );
}

export function present<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error("nothing in the answer");
  return value;
}
