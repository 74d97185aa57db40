import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import {
  ACCOUNT,
  type AwsWorld,
  createBody,
  KMS_KEY,
  MAPPINGS,
  newTopic,
  startAwsWorld,
  type WireAnswer,
} from "./aws-world.ts";
import { REFUSED_PARAMETERS, REFUSED_SOMEHOW } from "./refused-parameters.ts";

/** The AWS face over plain HTTP: status, headers and bodies, byte for byte where AWS's are known. */

const UNKNOWN = "3f0f6c56-51e0-4d4b-9d43-2d4b0d8bb4a1";
const arnOf = (uuid: string) => `arn:aws:lambda:us-east-1:${ACCOUNT}:event-source-mapping:${uuid}`;
const tagsOf = (arn: string) => `/2017-03-31/tags/${encodeURIComponent(arn)}`;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let world: AwsWorld;
beforeAll(async () => {
  world = await startAwsWorld(inject("POSTGRES"), { PENSTOCK_HTTP_BODY_BYTES_MAX: "65536" });
});
afterAll(() => world.stop());

function expectError(answer: WireAnswer, status: number, type: string, body?: object): void {
  expect([answer.status, answer.errorType]).toEqual([status, type]);
  if (body !== undefined) expect(answer.json).toEqual(body);
  expect(answer.headers.get("content-type")).toBe("application/json");
  expect(answer.headers.get("x-amzn-requestid")).toMatch(UUID);
}

const invalid = (message: string) => ({ Type: "User", message });
const constraint = (value: string, member: string, rule: string) => ({
  message: `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: ${rule}`,
});

describe("a mapping's life over the AWS wire", () => {
  it("answers 202, 200, 202 and 202, at both forms of each path, with a request id each", async () => {
    const topic = newTopic();
    const created = await world.call("POST", `${MAPPINGS}/`, createBody({ Topics: [topic] }));
    expect(created.status).toBe(202);
    const uuid = created.json.UUID as string;
    expect(created.json).toEqual({
      UUID: expect.stringMatching(UUID),
      EventSourceMappingArn: arnOf(uuid),
      FunctionArn: `arn:aws:lambda:us-east-1:${ACCOUNT}:function:orders`,
      BatchSize: 100,
      LastModified: expect.closeTo(Date.now() / 1000, -3),
      LastProcessingResult: "No records processed",
      SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ["127.0.0.1:9092"] } },
      SelfManagedKafkaEventSourceConfig: { ConsumerGroupId: uuid },
      StartingPosition: "TRIM_HORIZON",
      State: "Creating",
      StateTransitionReason: "USER_INITIATED",
      Topics: [topic],
    });

    const path = `${MAPPINGS}/${uuid}`;
    const read = await world.call("GET", path);
    expect([read.status, read.json]).toEqual([200, created.json]);
    expect((await world.call("GET", `${path}/`)).json).toEqual(read.json);
    expect((await world.call("GET", `${MAPPINGS}/${uuid.toUpperCase()}`)).status).toBe(200);

    expectError(await world.call("PUT", path, { BatchSize: 7 }), 400, "ResourceInUseException");
    await world.settle(uuid);
    const updated = await world.call("PUT", path, { BatchSize: 7, FunctionName: "orders:blue" });
    expect(updated.status).toBe(202);
    expect(updated.json).toMatchObject({
      BatchSize: 7,
      State: "Updating",
      FunctionArn: `arn:aws:lambda:us-east-1:${ACCOUNT}:function:orders:blue`,
    });

    for (const answer of [
      await world.call("DELETE", path),
      await world.call("DELETE", `${path}/`),
    ]) {
      expect([answer.status, answer.json.State]).toEqual([202, "Deleting"]);
    }
    const ids = [created, read, updated].map(({ headers }) => headers.get("x-amzn-requestid"));
    expect(new Set(ids).size).toBe(3);
  });

  it("lists it, and hides it behind a filter that it doesn't match", async () => {
    const uuid = await world.createEnabled({ FunctionName: "my-kafka-function:listed" });
    const listed = async (query: string) => {
      const { status, json } = await world.call("GET", `${MAPPINGS}?${query}`);
      expect(status).toBe(200);
      return json.EventSourceMappings.map((mapping: { UUID: string }) => mapping.UUID);
    };
    const arn = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:my-kafka-function`;
    for (const name of [
      "my-kafka-function",
      "my-kafka-function:listed",
      `${ACCOUNT}:function:my-kafka-function`,
      `us-east-1:${ACCOUNT}:function:my-kafka-function:listed`,
      arn,
      `${arn}:listed`,
    ]) {
      expect(await listed(`FunctionName=${encodeURIComponent(name)}`)).toEqual([uuid]);
    }
    expect(await listed("FunctionName=my-kafka-function:other")).toEqual([]);
    expect(await listed("FunctionName=no-such-function")).toEqual([]);
    const msk = "arn:aws:kafka:us-east-1:000000000000:cluster/c/3f0f6c56-51e0-4d4b-9d43-1";
    expect(await listed(`EventSourceArn=${encodeURIComponent(msk)}`)).toEqual([]);
  });

  it("hides filter criteria under a KMS key in lists, and says why when they can't be opened", async () => {
    const FilterCriteria = { Filters: [{ Pattern: '{"value":{"a":[1]}}' }] };
    const members = { FunctionName: "orders:kms", KMSKeyArn: KMS_KEY, FilterCriteria };
    const uuid = await world.createEnabled(members);
    const path = `${MAPPINGS}/${uuid}`;
    expect((await world.call("GET", path)).json).toMatchObject({
      FilterCriteria,
      KMSKeyArn: KMS_KEY,
    });
    const list = await world.call("GET", `${MAPPINGS}?FunctionName=orders:kms`);
    expect(list.json.EventSourceMappings).toMatchObject([{ UUID: uuid, FilterCriteria: null }]);
    await world.db.sql`update mappings set filter_sealed = '\\x01' where id = ${uuid}`;
    const { json } = await world.call("GET", path);
    expect(json.FilterCriteriaError).toEqual({
      ErrorCode: expect.stringMatching(/^[A-Za-z]+Exception$/),
      Message: expect.any(String),
    });
    expect(json).not.toHaveProperty("FilterCriteria");
  });

  it("tags it: repeated keys, encoded characters, an answer without a body", async () => {
    const uuid = await world.createEnabled({ Tags: { team: "a", "cost center": "b+c/d" } });
    const path = tagsOf(arnOf(uuid));
    expect((await world.call("GET", path)).json).toEqual({
      Tags: { team: "a", "cost center": "b+c/d" },
    });
    const tagged = await world.call("POST", path, { Tags: { team: "z", __proto__x: "1" } });
    expect([tagged.status, tagged.text]).toEqual([204, ""]);
    expect(tagged.headers.get("x-amzn-requestid")).toMatch(UUID);
    const untagged = await world.call("DELETE", `${path}/?tagKeys=cost%20center&tagKeys=missing`);
    expect([untagged.status, untagged.text]).toEqual([204, ""]);
    // The ARN's colons need no encoding.
    expect((await world.call("GET", `/2017-03-31/tags/${arnOf(uuid)}/`)).json).toEqual({
      Tags: { team: "z", __proto__x: "1" },
    });
  });
});

describe("errors over the AWS wire", () => {
  it("says that a mapping isn't there, with a capital M", async () => {
    const body = { Type: "User", Message: "The resource you requested does not exist." };
    for (const method of ["GET", "PUT", "DELETE"]) {
      const answer = await world.call(
        method,
        `${MAPPINGS}/${UNKNOWN}`,
        method === "PUT" ? { BatchSize: 1 } : undefined,
      );
      expectError(answer, 404, "ResourceNotFoundException", body);
    }
  });

  it("refuses a malformed UUID such as the document's own, of 37 characters, as a ValidationException", async () => {
    for (const uuid of ["dh38738e-992b-343a-1077-3478934hjkfd7", "x", "%ff", "..%2F..", "a%2Fb"]) {
      for (const method of ["GET", "PUT", "DELETE"]) {
        const body = method === "PUT" ? {} : undefined;
        const answer = await world.call(method, `${MAPPINGS}/${uuid}`, body);
        expectError(answer, 400, "ValidationException");
        expect(Object.keys(answer.json)).toEqual(["message"]);
        expect(answer.json.message).toMatch(
          /^1 validation error detected: Value '.*' at 'uUID' failed/,
        );
      }
    }
  });

  it("answers a duplicate with 409, the request's brokers and the UUID that is there", async () => {
    const topic = newTopic();
    const uuid = await world.createEnabled({ Topics: [topic] });
    const brokers = ["127.0.0.1:9092", "other:9092"];
    const duplicate = createBody({
      Topics: [topic],
      SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: brokers } },
      SelfManagedKafkaEventSourceConfig: { ConsumerGroupId: "another" },
    });
    expectError(
      await world.call("POST", MAPPINGS, duplicate),
      409,
      "ResourceConflictException",
      invalid(
        `An event source mapping with event source ("${brokers.join(",")}"), function ("arn:aws:lambda:us-east-1:${ACCOUNT}:function:orders"), ` +
          `topics ("${topic}") already exists. Please update or delete the existing mapping with UUID ${uuid}`,
      ),
    );
  });

  it("refuses every member beyond its limits, with AWS's type, member and words", async () => {
    const answers = await Promise.all(
      REFUSED_PARAMETERS.map(({ members }) => world.call("POST", MAPPINGS, createBody(members))),
    );
    for (const [index, { members, at, says }] of REFUSED_PARAMETERS.entries()) {
      const { status, errorType, json } = answers[index] as WireAnswer;
      const about = JSON.stringify(members).slice(0, 200);
      if (at === undefined) {
        const told = [status, errorType, json];
        expect(told, about).toEqual([400, "InvalidParameterValueException", invalid(says ?? "")]);
        continue;
      }
      expect([status, errorType], about).toEqual([400, "ValidationException"]);
      expect(json.message, about).toMatch(/^1 validation error detected: Value /);
      expect(json.message, about).toContain(` at '${at}' failed to satisfy constraint: `);
    }
    for (const members of REFUSED_SOMEHOW) {
      const answer = await world.call("POST", MAPPINGS, createBody(members));
      expectError(answer, 400, "InvalidParameterValueException");
    }
  });

  it("says all broken constraints at once, as AWS spells them", async () => {
    const answer = await world.call(
      "POST",
      MAPPINGS,
      createBody({ BatchSize: 0, StartingPosition: "FOO" }),
    );
    expectError(answer, 400, "ValidationException", {
      message:
        "2 validation errors detected: " +
        "Value 'FOO' at 'startingPosition' failed to satisfy constraint: Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]; " +
        "Value '0' at 'batchSize' failed to satisfy constraint: Member must have value greater than or equal to 1",
    });
  });

  it("refuses on update what is chosen at create, and passes over what AWS's update doesn't know", async () => {
    const path = `${MAPPINGS}/${await world.createEnabled()}`;
    for (const config of [{ ConsumerGroupId: "g" }, { ConsumptionMode: "Stream" }]) {
      const body = { SelfManagedKafkaEventSourceConfig: config };
      expectError(await world.call("PUT", path, body), 400, "InvalidParameterValueException");
    }
    const ignored = { Topics: ["another"], StartingPosition: "LATEST", Tags: { a: "b" } };
    const cleared = { FilterCriteria: {}, ProvisionedPollerConfig: {}, KMSKeyArn: "" };
    for (const body of [ignored, cleared, {}, undefined]) {
      const { status, json } = await world.call("PUT", path, body);
      expect([status, json.State, json.StartingPosition]).toEqual([202, "Enabled", "TRIM_HORIZON"]);
    }
  });

  it.each<[string, unknown, string]>([
    ["an array", [], "The body: START_ARRAY can not be converted to a structure"],
    [
      "a wrong type",
      { BatchSize: "7" },
      "BatchSize: STRING_VALUE can not be converted to an Integer",
    ],
    ["no JSON", "{", "The body must be JSON in UTF-8."],
    ["S-17: JSON too deep", "[".repeat(10_000), "The body must be nested at most 64 levels deep."],
  ])("answers %s with a SerializationException", async (_what, body, message) => {
    expectError(await world.call("POST", MAPPINGS, body), 400, "SerializationException", {
      message,
    });
  });

  it("S-16: takes __proto__ for a member that nobody knows", async () => {
    const body = JSON.stringify(createBody()).replace("{", '{"__proto__":{"BatchSize":5},');
    const { status, json } = await world.call("POST", MAPPINGS, body);
    expect([status, json.BatchSize]).toEqual([202, 100]);
  });

  it("S-17: refuses a body over the limit before reading it", async () => {
    const { port } = new URL(world.endpoint);
    const answer = await new Promise<{ status?: number; type?: unknown }>((resolve, reject) => {
      const call = request({
        port,
        method: "POST",
        path: MAPPINGS,
        headers: { "content-type": "application/json", "content-length": 65_537 },
      });
      call.on("response", (response) => {
        resolve({
          ...(response.statusCode && { status: response.statusCode }),
          type: response.headers["x-amzn-errortype"],
        });
        call.destroy();
      });
      call.on("error", reject);
      call.flushHeaders();
    });
    expect(answer).toEqual({ status: 413, type: "RequestEntityTooLargeException" });
  });

  it("refuses what it can't list", async () => {
    const list = (query: string) => world.call("GET", `${MAPPINGS}?${query}`);
    const rule = "Member must have value";
    expectError(
      await list("MaxItems=0"),
      400,
      "ValidationException",
      constraint("0", "maxItems", `${rule} greater than or equal to 1`),
    );
    expectError(
      await list("MaxItems=10001"),
      400,
      "ValidationException",
      constraint("10001", "maxItems", `${rule} less than or equal to 10000`),
    );
    expectError(await list("MaxItems=x"), 400, "SerializationException");
    expectError(await list("Marker=nobody-wrote-this"), 400, "InvalidParameterValueException");
    expectError(await list("FunctionName="), 400, "ValidationException");
    expect((await list("MaxItems=10000")).status).toBe(200);
  });

  it("refuses tags in AWS's words", async () => {
    const missing = arnOf(UNKNOWN);
    for (const [method, query, body] of [
      ["GET", "", undefined],
      ["POST", "", { Tags: { a: "b" } }],
      ["DELETE", "?tagKeys=a", undefined],
    ] as const) {
      const answer = await world.call(method, `${tagsOf(missing)}${query}`, body);
      expectError(answer, 404, "ResourceNotFoundException", {
        Type: "User",
        Message: `Event source mapping not found: ${missing}`,
      });
    }
    const path = tagsOf(arnOf(await world.createEnabled()));
    const malformed = await world.call("GET", tagsOf("arn:something"));
    expectError(malformed, 400, "ValidationException");
    expect(malformed.json.message).toContain("at 'resource' failed to satisfy constraint");
    expectError(
      await world.call("POST", path, { Tags: {} }),
      400,
      "InvalidParameterValueException",
      invalid("An error occurred and the request cannot be processed."),
    );
    expectError(await world.call("POST", path, {}), 400, "ValidationException");
    const keys = await world.call("DELETE", path);
    expectError(keys, 400, "ValidationException");
    expect(keys.json.message).toContain("Value null at 'tagKeys' failed to satisfy constraint");
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, ""]));
    expect((await world.call("POST", path, { Tags: many })).status).toBe(204);
    expectError(
      await world.call("POST", path, { Tags: { more: "" } }),
      400,
      "InvalidParameterValueException",
      invalid("Number of tags exceeds resource tag limit."),
    );
  });

  it("knows no other operation of AWS, and leaves all other paths alone", async () => {
    expectError(await world.call("GET", "/2015-03-31/functions"), 404, "UnknownOperationException");
    const patched = await world.call("PATCH", MAPPINGS, {});
    expectError(patched, 405, "UnknownOperationException");
    expect(patched.headers.get("allow")).toBe("POST, GET");
    expect((await world.call("GET", "/healthz")).json).toEqual({ status: "ok" });
    const nothing = await world.call("GET", "/nothing");
    expect([nothing.status, nothing.errorType]).toEqual([404, null]);
  });
});

describe("web pages", () => {
  it("can't drive it: foreign Origin and Host, and content types that need no question first", async () => {
    const body = createBody();
    const from = (headers: Record<string, string>) => world.call("POST", MAPPINGS, body, headers);
    expect((await from({ origin: "https://evil.example" })).status).toBe(403);
    expect((await from({ origin: "null" })).status).toBe(403);
    for (const type of ["text/plain", "application/x-www-form-urlencoded"]) {
      expect((await from({ "content-type": type })).status).toBe(415);
    }
    const asked = await world.call("OPTIONS", MAPPINGS, undefined, {
      origin: world.endpoint,
      "access-control-request-method": "PUT",
    });
    expect(asked.headers.get("access-control-allow-origin")).toBeNull();
  });
});
