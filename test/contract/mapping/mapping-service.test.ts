import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectError } from "@connectrpc/connect";
import { mapping } from "@penstock/proto";
import { toPenstockError } from "@penstock/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiWorld, failure, startApiWorld } from "./api-world.ts";
import { putFunction, source } from "./test-mapping-service.ts";

const { MappingState, StartingPosition } = mapping;
let world: ApiWorld;

beforeAll(async () => {
  world = await startApiWorld();
  await putFunction(world, "invoices");
});
afterAll(() => world.stop());

let topics = 0;
const newTopic = () => `own-topic-${++topics}`;
const createMapping: ApiWorld["createMapping"] = (changes) => world.createMapping(changes);
const get = (uuid: string) => world.read(uuid);

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
    expect(filter.code).toBe(Code.InvalidArgument);
    expect(filter.rawMessage).toContain("Invalid filter pattern definition.");
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

describe("DeleteEventSourceMapping", () => {
  it("I-17: answers DELETING, again while it lasts, and then no change is taken", async () => {
    const { uuid } = await createMapping();
    for (let times = 0; times < 2; times++) {
      const { eventSourceMapping } = await world.mappings.deleteEventSourceMapping({ uuid });
      expect(eventSourceMapping?.state).toBe(MappingState.DELETING);
    }
    const error = await failure(world.mappings.updateEventSourceMapping({ uuid, enabled: false }));
    expect(error.code).toBe(Code.FailedPrecondition);
    await world.db.sql`delete from mappings where id = ${uuid}`;
    expect((await failure(world.mappings.deleteEventSourceMapping({ uuid }))).code).toBe(
      Code.NotFound,
    );
  });
});
