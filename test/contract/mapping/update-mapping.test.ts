import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { mapping } from "@penstock/proto";
import { toPenstockError } from "@penstock/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiWorld, codeOf, failure, startApiWorld } from "./api-world.ts";
import { putFunction } from "./test-mapping-service.ts";

const { MappingState } = mapping;
let world: ApiWorld;

beforeAll(async () => {
  world = await startApiWorld({ env: { PENSTOCK_SECRETS_WITHOUT_POLICY: "true" } });
  await putFunction(world, "invoices");
});
afterAll(() => world.stop());

type Update = Parameters<ApiWorld["mappings"]["updateEventSourceMapping"]>[0];
const update = async (request: Update) =>
  (await world.mappings.updateEventSourceMapping(request)).eventSourceMapping;

const ACCESS = [
  { type: mapping.SourceAccessType.SASL_SCRAM_512_AUTH, uri: "file:brokers/scram" },
  { type: mapping.SourceAccessType.SERVER_ROOT_CA_CERTIFICATE, uri: "file:brokers/ca" },
  { type: mapping.SourceAccessType.VPC_SUBNET, uri: "subnet:subnet-1" },
  { type: mapping.SourceAccessType.VPC_SUBNET, uri: "subnet:subnet-2" },
];

/** Every setting that create and update have in common, none with its default. */
const EVERYTHING = {
  batchSize: 77,
  maximumBatchingWindow: durationFromMs(250),
  filterCriteria: { filters: [{ pattern: '{"value":{"a":[1]}}' }] },
  provisionedPollerConfig: { minimumPollers: 2, maximumPollers: 9, pollerGroupName: "group-1" },
  sourceAccessConfigurations: ACCESS,
  destinationConfig: { onFailure: { destination: "kafka://dead-letters" } },
  maximumRetryAttempts: 3,
  maximumRecordAge: durationFromMs(120_000),
  bisectBatchOnFunctionError: true,
  metricsConfig: {
    metrics: [mapping.MappingMetric.EVENT_COUNT, mapping.MappingMetric.KAFKA_METRICS],
  },
  loggingConfig: { systemLogLevel: mapping.SystemLogLevel.INFO },
};

describe("all settings", () => {
  it("come back as they were created, jsonb and arrays among them, and say which are not in effect", async () => {
    const request = create(mapping.CreateEventSourceMappingRequestSchema, EVERYTHING);
    const { $typeName: _, topics: __, ...fields } = request;
    const { uuid } = await world.createMapping(fields);
    const read = await world.read(uuid);
    expect(read).toMatchObject(EVERYTHING);
    expect(read.createTime).toEqual(read.lastModified);
    expect(read.notInEffect).toEqual(
      expect.arrayContaining(["maximum_retry_attempts", "bisect_batch_on_function_error"]),
    );
    const rows = await world.db.sql`
      select source_access, metrics, is_provisioned, maximum_record_age_seconds from mappings where id = ${uuid}`;
    expect(rows[0]).toMatchObject({
      source_access: [
        { type: "SASL_SCRAM_512_AUTH", uri: "file:brokers/scram" },
        { type: "SERVER_ROOT_CA_CERTIFICATE", uri: "file:brokers/ca" },
        { type: "VPC_SUBNET", uri: "subnet:subnet-1" },
        { type: "VPC_SUBNET", uri: "subnet:subnet-2" },
      ],
      metrics: ["EventCount", "KafkaMetrics"],
      is_provisioned: true,
      maximum_record_age_seconds: 120,
    });
  });

  it("are set by an update, and go back to their defaults by name or by AWS's sentinels", async () => {
    const { uuid } = await world.createSettled();
    expect(await update({ uuid, ...EVERYTHING })).toMatchObject({ ...EVERYTHING, revision: 2n });
    await world.setState(uuid, "Enabled");
    const cleared = await update({
      uuid,
      filterCriteria: {},
      provisionedPollerConfig: {},
      destinationConfig: { onFailure: { destination: "" } },
      metricsConfig: {},
      kmsKeyArn: "",
    });
    expect(cleared).toMatchObject({
      batchSize: 77,
      revision: 3n,
      sourceAccessConfigurations: ACCESS,
    });
    for (const field of ["filterCriteria", "provisionedPollerConfig", "destinationConfig"]) {
      expect(cleared).not.toHaveProperty(`${field}.$typeName`);
    }
    await world.setState(uuid, "Enabled");
    const paths = ["source_access_configurations", "maximum_record_age", "logging_config"];
    const reset = await update({ uuid, updateMask: { paths } });
    expect(reset?.sourceAccessConfigurations).toEqual([]);
    expect([reset?.maximumRecordAge, reset?.loggingConfig]).toEqual([undefined, undefined]);
  });
});

describe("field masks", () => {
  it("without one, what is sent changes and the rest stays", async () => {
    const { uuid } = await world.createSettled({ batchSize: 7 });
    expect(await update({ uuid, maximumBatchingWindow: durationFromMs(0) })).toMatchObject({
      batchSize: 7,
      maximumBatchingWindow: { seconds: 0n, nanos: 0 },
      revision: 2n,
    });
  });

  it("with one, what is named changes: named and absent goes back to the default", async () => {
    const { uuid } = await world.createSettled({
      batchSize: 7,
      maximumBatchingWindow: durationFromMs(9),
    });
    const updated = await update({
      uuid,
      batchSize: 9,
      enabled: false,
      updateMask: { paths: ["maximum_batching_window", "batch_size", "state", "revision"] },
    });
    expect(updated).toMatchObject({ batchSize: 9, revision: 2n });
    expect(updated?.maximumBatchingWindow).toBeUndefined();
  });

  it("refuses create-only and unknown names", async () => {
    const { uuid } = await world.createSettled();
    for (const path of ["topics", "starting_position", "self_managed_event_source", "nonsense"]) {
      const error = await failure(update({ uuid, updateMask: { paths: [path] } }));
      expect(error.code).toBe(Code.InvalidArgument);
      expect(toPenstockError(error).violations[0]?.field).toBe("update_mask");
    }
    expect((await world.read(uuid)).revision).toBe(1n);
  });
});

describe("states", () => {
  it("I-17: goes to UPDATING, DISABLING and ENABLING, for the controller to move on", async () => {
    const { uuid } = await world.createSettled();
    const stateAfter = async (changes: { batchSize: number } | { enabled: boolean }) =>
      (await update({ uuid, ...changes }))?.state;
    expect(await stateAfter({ batchSize: 3 })).toBe(MappingState.UPDATING);
    await world.setState(uuid, "Enabled");
    expect(await stateAfter({ enabled: false })).toBe(MappingState.DISABLING);
    expect(await stateAfter({ batchSize: 4 })).toBe(MappingState.DISABLING);
    await world.setState(uuid, "Disabled");
    expect(await stateAfter({ enabled: true })).toBe(MappingState.ENABLING);
  });

  it("I-17: refuses a change in transition, for 30 s of the database's time; an equal one is taken", async () => {
    const { uuid } = await world.createMapping();
    for (const state of ["Creating", "Updating", "Enabling"]) {
      await world.setState(uuid, state);
      const error = await failure(update({ uuid, batchSize: 11 }));
      expect(error.code).toBe(Code.FailedPrecondition);
      expect(error.rawMessage).toMatch(
        /^Cannot update the event source mapping because it is in use\. .*30 seconds/,
      );
      expect(toPenstockError(error).code).toBe("inUse");
      expect(await update({ uuid, batchSize: 100 })).toMatchObject({ revision: 1n });
      await world.setState(uuid, state, 29_000);
      expect(await codeOf(update({ uuid, batchSize: 11 }))).toBe("FailedPrecondition");
    }
    let batchSize = 20;
    for (const state of ["Creating", "Updating", "Enabling"]) {
      await world.setState(uuid, state, 30_500);
      expect(await update({ uuid, batchSize: ++batchSize })).toMatchObject({ batchSize });
    }
    await world.setState(uuid, "Deleting", 3_600_000);
    expect(await codeOf(update({ uuid, batchSize: 12 }))).toBe("FailedPrecondition");
  });

  it("is idempotent: an equal update changes neither revision nor state", async () => {
    const { uuid } = await world.createSettled();
    for (let times = 0; times < 2; times++) {
      const updated = await update({ uuid, batchSize: 100, enabled: true });
      expect(updated).toMatchObject({ revision: 1n, state: MappingState.ENABLED });
    }
  });

  it("I-17: serialises updates: of many at once one wins, the others find it in use", async () => {
    const { uuid } = await world.createSettled();
    const codes = await Promise.all(
      Array.from({ length: 8 }, (_, index) => codeOf(update({ uuid, batchSize: 200 + index }))),
    );
    expect(codes.filter((code) => code === "ok")).toHaveLength(1);
    expect(new Set(codes)).toEqual(new Set(["ok", "FailedPrecondition"]));
    expect((await world.read(uuid)).revision).toBe(2n);
  });

  it("is deleted in every state, repeatably, and says so once", async () => {
    for (const state of ["Creating", "Enabled", "Disabling", "Updating"]) {
      const { uuid } = await world.createMapping();
      await world.setState(uuid, state === "Disabling" ? "Creating" : state);
      for (const deleteConsumerGroup of [false, true, false]) {
        const answer = await world.mappings.deleteEventSourceMapping({ uuid, deleteConsumerGroup });
        expect(answer.eventSourceMapping?.state).toBe(MappingState.DELETING);
      }
      const rows = await world.db.sql`
        select deletes_consumer_group,
               (select count(*)::int from mapping_events e where e.mapping_id = m.id and kind = 'deleting')
          from mappings m where id = ${uuid}`;
      expect(rows[0]).toEqual({ deletes_consumer_group: true, count: 1 });
    }
  });
});

describe("etags", () => {
  it("guard updates and deletes: another one is ABORTED and changes nothing", async () => {
    const { uuid, etag } = await world.createSettled();
    const updated = await update({ uuid, etag, batchSize: 5 });
    expect(updated?.etag).not.toBe(etag);
    await world.setState(uuid, "Enabled");
    for (const bad of [etag, "", "x".repeat(10_000)]) {
      expect(await codeOf(update({ uuid, etag: bad, batchSize: 6 }))).toBe("Aborted");
      expect(await codeOf(world.mappings.deleteEventSourceMapping({ uuid, etag: bad }))).toBe(
        "Aborted",
      );
    }
    const present = updated?.etag ?? "";
    expect((await world.read(uuid)).etag).toBe(present);
    await world.mappings.deleteEventSourceMapping({ uuid, etag: present });
    await world.mappings.deleteEventSourceMapping({ uuid, etag: present });
  });

  it("I-17: of many updates of the same etag at once exactly one has an effect", async () => {
    const { uuid, etag } = await world.createSettled();
    const codes = await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        codeOf(update({ uuid, etag, batchSize: 10 + index })),
      ),
    );
    expect(codes.toSorted()).toEqual([...Array(5).fill("Aborted"), "ok"]);
  });
});

describe("another function", () => {
  it("keeps the duplicate rule, at rest and in a race", async () => {
    const topics = ["moved-topic"];
    const first = await world.createSettled({ topics });
    const other = await world.createSettled({ topics, functionName: "invoices" });
    const error = await failure(update({ uuid: other.uuid, functionName: "orders" }));
    expect(error.code).toBe(Code.AlreadyExists);
    expect(error.rawMessage).toBe(
      'An event source mapping with event source ("127.0.0.1:9092"), function ' +
        '("arn:aws:lambda:us-east-1:000000000000:function:orders"), ' +
        `topics ("moved-topic") already exists. Please update or delete the existing mapping with UUID ${first.uuid}`,
    );
    expect(await codeOf(update({ uuid: other.uuid, functionName: "nobody" }))).toBe(
      "InvalidArgument",
    );
    const codes = await Promise.all(
      [first.uuid, other.uuid].map((uuid) => codeOf(update({ uuid, functionName: "orders:live" }))),
    );
    expect(codes.toSorted()).toEqual(["AlreadyExists", "ok"]);
    const claimed = await world.db.sql`
      select function_arn, mapping_id from mapping_sources where topic = 'moved-topic'`;
    expect(new Set(claimed.map((row) => row.mapping_id)).size).toBe(2);
  });

  it("frees the place that it leaves", async () => {
    const topics = ["left-topic"];
    const first = await world.createSettled({ topics });
    await update({ uuid: first.uuid, functionName: "orders:live" });
    const second = await world.createSettled({ topics });
    const moved = await failure(update({ uuid: second.uuid, functionName: "orders:live" }));
    expect(moved.rawMessage).toContain(first.uuid);
  });
});

it("says NOT_FOUND for an unknown mapping", async () => {
  const uuid = crypto.randomUUID();
  expect(await codeOf(update({ uuid, batchSize: 1 }))).toBe("NotFound");
  expect(await codeOf(world.mappings.deleteEventSourceMapping({ uuid }))).toBe("NotFound");
});
