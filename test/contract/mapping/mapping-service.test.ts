import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { mapping } from "@penstock/proto";
import { toPenstockError } from "@penstock/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createRequest,
  putFunction,
  source,
  startTestMappingService,
  type TestMappingService,
} from "./test-mapping-service.ts";
import { startTestPostgres, type TestPostgres, until } from "./test-postgres.ts";

const { MappingState, StartingPosition } = mapping;
let postgres: TestPostgres;
let world: TestMappingService;
let databaseUrl: string;

beforeAll(async () => {
  postgres = await startTestPostgres();
  databaseUrl = await postgres.migratedUrl();
  world = await startTestMappingService(databaseUrl);
  await until(async () => {
    try {
      return (await putFunction(world, "orders")) !== undefined;
    } catch {
      return false;
    }
  });
  await putFunction(world, "invoices");
});
afterAll(async () => {
  await world.stop();
  await postgres.stop();
});

let topics = 0;
const newTopic = () => `topic-${++topics}`;

async function createMapping(changes: Partial<mapping.CreateEventSourceMappingRequest> = {}) {
  const request = createRequest({ topics: [newTopic()], ...changes });
  const { eventSourceMapping } = await world.mappings.createEventSourceMapping(request);
  if (!eventSourceMapping) throw new Error("no mapping in the answer");
  return eventSourceMapping;
}

async function failure(call: Promise<unknown>): Promise<ConnectError> {
  const error = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ConnectError);
  return error as ConnectError;
}

const get = async (uuid: string) =>
  (await world.mappings.getEventSourceMapping({ uuid })).eventSourceMapping;

describe("CreateEventSourceMapping", () => {
  it("answers with state CREATING, the defaults, and what was sent, as AWS does", async () => {
    const created = await createMapping({ topics: ["orders"] });
    expect(created).toMatchObject({
      functionArn: "arn:aws:lambda:us-east-1:000000000000:function:orders",
      eventSourceMappingArn: `arn:aws:lambda:us-east-1:000000000000:event-source-mapping:${created.uuid}`,
      topics: ["orders"],
      batchSize: 100,
      startingPosition: StartingPosition.TRIM_HORIZON,
      state: MappingState.CREATING,
      stateTransitionReason: "USER_INITIATED",
      lastProcessingResult: "No records processed",
      revision: 1n,
    });
    expect(created.uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-/);
    expect(created.selfManagedEventSource?.endpoints?.kafkaBootstrapServers).toEqual([
      "127.0.0.1:9092",
    ]);
    expect(created.selfManagedKafkaEventSourceConfig?.consumerGroupId).toBe(created.uuid);
    expect(created.maximumBatchingWindow).toBeUndefined();
    expect(created.filterCriteria).toBeUndefined();
    expect(created.provisionedPollerConfig).toBeUndefined();
    expect(await get(created.uuid)).toEqual(created);
  });

  it("stores and echoes every parameter", async () => {
    const timestamp = timestampFromMs(1_700_000_000_123);
    const created = await createMapping({
      functionName: "arn:aws:lambda:eu-west-1:123456789012:function:orders:live",
      selfManagedEventSource: source("b-1.example:9092", "b-2.example:9092"),
      selfManagedKafkaEventSourceConfig: create(mapping.SelfManagedKafkaEventSourceConfigSchema, {
        consumerGroupId: "my/group:1",
      }),
      batchSize: 10_000,
      maximumBatchingWindow: durationFromMs(1_500),
      startingPosition: StartingPosition.AT_TIMESTAMP,
      startingPositionTimestamp: timestamp,
      filterCriteria: create(mapping.FilterCriteriaSchema, {
        filters: [{ pattern: '{"value":{"a":[1]}}' }, { pattern: '{"key":["k"]}' }],
      }),
      provisionedPollerConfig: create(mapping.ProvisionedPollerConfigSchema, { minimumPollers: 3 }),
      enabled: false,
    });
    expect(created.functionArn).toBe("arn:aws:lambda:us-east-1:000000000000:function:orders:live");
    expect(await get(created.uuid)).toMatchObject({
      selfManagedKafkaEventSourceConfig: { consumerGroupId: "my/group:1" },
      batchSize: 10_000,
      maximumBatchingWindow: { seconds: 1n, nanos: 500_000_000 },
      startingPosition: StartingPosition.AT_TIMESTAMP,
      startingPositionTimestamp: { seconds: 1_700_000_000n, nanos: 123_000_000 },
      filterCriteria: {
        filters: [{ pattern: '{"value":{"a":[1]}}' }, { pattern: '{"key":["k"]}' }],
      },
      provisionedPollerConfig: { minimumPollers: 3 },
    });
  });

  it("names every bad field in the details of INVALID_ARGUMENT", async () => {
    const error = await failure(createMapping({ topics: [], batchSize: 0 }));
    expect(error.code).toBe(Code.InvalidArgument);
    expect(toPenstockError(error).violations.map(({ field }) => field)).toEqual([
      "topics",
      "batch_size",
    ]);
  });

  it("answers in AWS's words: unknown function, bad filter", async () => {
    const missing = await failure(createMapping({ functionName: "nobody" }));
    expect([missing.code, missing.rawMessage]).toEqual([
      Code.InvalidArgument,
      "Function does not exist",
    ]);
    const filterCriteria = create(mapping.FilterCriteriaSchema, {
      filters: [{ pattern: "not json" }],
    });
    const filter = await failure(createMapping({ filterCriteria }));
    expect([filter.code, filter.rawMessage]).toEqual([
      Code.InvalidArgument,
      "Invalid filter pattern definition.",
    ]);
  });

  it("refuses the same function, topic and any shared server, in AWS's words", async () => {
    const topic = newTopic();
    const first = await createMapping({
      topics: [topic],
      selfManagedEventSource: source("kafka:1000"),
    });
    const again = createMapping({
      topics: [topic],
      selfManagedEventSource: source("KAFKA:1000", "kafka:2000"),
      selfManagedKafkaEventSourceConfig: create(mapping.SelfManagedKafkaEventSourceConfigSchema, {
        consumerGroupId: "another-group",
      }),
    });
    const error = await failure(again);
    expect(error.code).toBe(Code.AlreadyExists);
    expect(error.rawMessage).toBe(
      'An event source mapping with event source ("KAFKA:1000,kafka:2000"), function ' +
        '("arn:aws:lambda:us-east-1:000000000000:function:orders"), ' +
        `topics ("${topic}") already exists. Please update or delete the existing mapping with UUID ${first.uuid}`,
    );
    const selfManagedEventSource = source("kafka:1000");
    await createMapping({ topics: [topic], selfManagedEventSource, functionName: "invoices" });
    await createMapping({ topics: [topic], selfManagedEventSource, functionName: "orders:live" });
    await createMapping({ topics: [topic], selfManagedEventSource: source("kafka:3000") });
  });

  it("accepts a server that is named twice", async () => {
    await createMapping({ selfManagedEventSource: source("kafka:1", "kafka:1", "Kafka:1") });
  });

  it("refuses a consumer group id that another mapping has", async () => {
    const selfManagedKafkaEventSourceConfig = create(
      mapping.SelfManagedKafkaEventSourceConfigSchema,
      { consumerGroupId: "taken" },
    );
    const first = await createMapping({ selfManagedKafkaEventSourceConfig });
    const error = await failure(createMapping({ selfManagedKafkaEventSourceConfig }));
    expect(error.code).toBe(Code.AlreadyExists);
    expect(error.rawMessage).toContain(first.uuid);
  });

  it("F73: of many equal creates at once exactly one wins, with crossed servers too", async () => {
    for (const servers of [["a:1"], ["a:1", "b:1", "c:1"]]) {
      const topic = newTopic();
      const results = await Promise.allSettled(
        Array.from({ length: 12 }, (_, index) =>
          createMapping({
            topics: [topic],
            selfManagedEventSource: source(...(index % 2 === 0 ? servers : servers.toReversed())),
          }),
        ),
      );
      const won = results.filter((result) => result.status === "fulfilled");
      const lost = results.flatMap((result) =>
        result.status === "rejected" ? [(result.reason as ConnectError).code] : [],
      );
      expect(won).toHaveLength(1);
      expect(new Set(lost)).toEqual(new Set([Code.AlreadyExists]));
    }
  });

  it("S-16, S-23: takes hostile names as the text that they are", async () => {
    await putFunction(world, "__proto__");
    const created = await createMapping({ functionName: "__proto__", topics: ["constructor"] });
    expect(created.functionArn.endsWith(":function:__proto__")).toBe(true);
    const evil = await failure(createMapping({ functionName: "x'; drop table mappings; --" }));
    expect(evil.code).toBe(Code.InvalidArgument);
    expect(Object.prototype).not.toHaveProperty("polluted");
  });
});

describe("GetEventSourceMapping", () => {
  it("says NOT_FOUND in AWS's words, and INVALID_ARGUMENT for what is no UUID", async () => {
    const missing = await failure(get(crypto.randomUUID()));
    expect([missing.code, missing.rawMessage]).toEqual([
      Code.NotFound,
      "The resource you requested does not exist.",
    ]);
    for (const uuid of ["", "x", "' or 1=1", `${crypto.randomUUID()}0`]) {
      expect((await failure(get(uuid))).code).toBe(Code.InvalidArgument);
    }
  });

  it("takes a UUID in capitals", async () => {
    const { uuid } = await createMapping();
    expect((await get(uuid.toUpperCase()))?.uuid).toBe(uuid);
  });
});

describe("ListEventSourceMappings", () => {
  it("S-23: gives pages in order of creation, that a mapping created meanwhile does not disturb", async () => {
    await putFunction(world, "paged");
    const created: string[] = [];
    for (let count = 0; count < 7; count++) {
      const functionName = count % 2 === 0 ? "paged" : "paged:live";
      created.push((await createMapping({ functionName })).uuid);
    }
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await world.mappings.listEventSourceMappings({
        functionName: "123456789012:function:paged",
        pageSize: 3,
        pageToken,
      });
      seen.push(...page.eventSourceMappings.map(({ uuid }) => uuid));
      pageToken = page.nextPageToken;
      if (seen.length === 3) created.push((await createMapping({ functionName: "paged" })).uuid);
    } while (pageToken !== "");
    expect(seen).toEqual(created);
    const live = await world.mappings.listEventSourceMappings({ functionName: "paged:live" });
    expect(live.eventSourceMappings).toHaveLength(3);
  });

  it("caps pages, and refuses sizes and tokens that are not its own", async () => {
    await putFunction(world, "many");
    for (let count = 0; count < 101; count++) await createMapping({ functionName: "many" });
    const list = world.mappings.listEventSourceMappings;
    const all = await list({ functionName: "many" });
    expect(all.eventSourceMappings).toHaveLength(100);
    expect((await list({ functionName: "many", pageToken: all.nextPageToken })).nextPageToken).toBe(
      "",
    );
    const bad = [
      { pageSize: 0 },
      { pageSize: 101 },
      { pageSize: -1 },
      { pageToken: "!" },
      { pageToken: "x".repeat(100_000) },
      { pageToken: all.nextPageToken },
      { functionName: "orders", pageToken: all.nextPageToken },
      { functionName: "a b" },
    ];
    for (const request of bad) {
      expect((await failure(list(request))).code).toBe(Code.InvalidArgument);
    }
  });
});

describe("UpdateEventSourceMapping", () => {
  it("changes what is sent, counts one revision, and leaves the rest", async () => {
    const { uuid } = await createMapping({ batchSize: 7 });
    const { eventSourceMapping } = await world.mappings.updateEventSourceMapping({
      uuid,
      maximumBatchingWindow: durationFromMs(0),
    });
    expect(eventSourceMapping).toMatchObject({
      batchSize: 7,
      maximumBatchingWindow: { seconds: 0n, nanos: 0 },
      revision: 2n,
    });
  });

  it("takes a mask at its word: named and absent goes back to the default", async () => {
    const { uuid } = await createMapping({
      batchSize: 7,
      maximumBatchingWindow: durationFromMs(9),
    });
    const { eventSourceMapping } = await world.mappings.updateEventSourceMapping({
      uuid,
      batchSize: 9,
      enabled: false,
      updateMask: { paths: ["maximum_batching_window", "batch_size"] },
    });
    expect(eventSourceMapping).toMatchObject({ batchSize: 9, revision: 2n });
    expect(eventSourceMapping?.maximumBatchingWindow).toBeUndefined();
    const error = await failure(
      world.mappings.updateEventSourceMapping({ uuid, updateMask: { paths: ["topics"] } }),
    );
    expect(error.code).toBe(Code.InvalidArgument);
  });

  it("is idempotent: an equal update changes neither revision nor state", async () => {
    const { uuid } = await createMapping();
    await setState(uuid, "Enabled");
    for (let times = 0; times < 2; times++) {
      const { eventSourceMapping } = await world.mappings.updateEventSourceMapping({
        uuid,
        batchSize: 100,
        enabled: true,
      });
      expect(eventSourceMapping).toMatchObject({ revision: 1n, state: MappingState.ENABLED });
    }
  });

  it("I-17: goes to UPDATING, DISABLING and ENABLING, for the controller to move on", async () => {
    const { uuid } = await createMapping();
    const update = async (changes: object) =>
      (await world.mappings.updateEventSourceMapping({ uuid, ...changes })).eventSourceMapping
        ?.state;
    await setState(uuid, "Enabled");
    expect(await update({ batchSize: 3 })).toBe(MappingState.UPDATING);
    expect(await update({ enabled: false })).toBe(MappingState.DISABLING);
    expect(await update({ batchSize: 4 })).toBe(MappingState.DISABLING);
    await setState(uuid, "Disabled");
    expect(await update({ enabled: true })).toBe(MappingState.ENABLING);
  });

  it("I-17: serialises updates: of many at once each counts one revision", async () => {
    const { uuid } = await createMapping();
    await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        world.mappings.updateEventSourceMapping({ uuid, batchSize: 200 + index }),
      ),
    );
    expect((await get(uuid))?.revision).toBe(11n);
  });

  it("keeps the duplicate rule when the function changes", async () => {
    const topic = newTopic();
    const first = await createMapping({ topics: [topic] });
    const other = await createMapping({ topics: [topic], functionName: "invoices" });
    const move = (uuid: string, functionName: string) =>
      world.mappings.updateEventSourceMapping({ uuid, functionName });
    const error = await failure(move(other.uuid, "orders"));
    expect(error.code).toBe(Code.AlreadyExists);
    expect(error.rawMessage).toContain(first.uuid);
    expect((await failure(move(other.uuid, "nobody"))).code).toBe(Code.InvalidArgument);
    await move(first.uuid, "orders:live");
    const moved = await move(other.uuid, "orders");
    expect(moved.eventSourceMapping?.functionArn.endsWith(":function:orders")).toBe(true);
  });

  it("says NOT_FOUND for an unknown mapping", async () => {
    const call = world.mappings.updateEventSourceMapping({ uuid: crypto.randomUUID() });
    expect((await failure(call)).code).toBe(Code.NotFound);
  });
});

describe("DeleteEventSourceMapping", () => {
  it("I-17: answers DELETING, again while it lasts, and then no change is taken", async () => {
    const { uuid } = await createMapping();
    for (let times = 0; times < 2; times++) {
      const { eventSourceMapping } = await world.mappings.deleteEventSourceMapping({ uuid });
      expect(eventSourceMapping?.state).toBe(MappingState.DELETING);
    }
    const error = await failure(world.mappings.updateEventSourceMapping({ uuid, enabled: false }));
    expect(error.code).toBe(Code.FailedPrecondition);
    await (await database()).sql`delete from mappings where id = ${uuid}`;
    expect((await failure(world.mappings.deleteEventSourceMapping({ uuid }))).code).toBe(
      Code.NotFound,
    );
  });
});

describe("history", () => {
  it("has a row for each change", async () => {
    const { uuid } = await createMapping();
    await world.mappings.updateEventSourceMapping({ uuid, batchSize: 3 });
    await world.mappings.deleteEventSourceMapping({ uuid });
    const rows = await (await database()).sql`
      select kind, message from mapping_events where mapping_id = ${uuid} order by id`;
    expect(rows.map(({ kind }) => kind)).toEqual(["created", "updated", "deleting"]);
    expect(rows[1]).toMatchObject({ message: "Changed: batchSize." });
  });
});

async function setState(uuid: string, state: string): Promise<void> {
  await (await database()).sql`update mappings set state = ${state} where id = ${uuid}`;
}

let opened: ReturnType<TestPostgres["openUrl"]> | null = null;
async function database() {
  opened ??= postgres.openUrl(databaseUrl);
  return opened;
}
