import { missingForPython } from "@penstock/local";
import { plantedSecret } from "@penstock/testkit";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import {
  ACCOUNT,
  type AwsWorld,
  createSecretsFolder,
  FUNCTION_ARN,
  newTopic,
  type SecretsFolder,
  startAwsWorld,
} from "./aws-world.ts";
import { type CliAnswer, type PythonClients, startPythonClients } from "./python-clients.ts";

/**
 * The CLI procedures of AWS's guide "Processing self-managed Apache Kafka messages with Lambda", with its own example commands: only names and addresses are
 * replaced. Account and region of the examples stay: each of them names the local function.
 */

const SETUP_MS = 400_000;
const BROKERS = ["abc3.xyz.com:9092", "abc2.xyz.com:9092"];
const SOURCE = JSON.stringify({ Endpoints: { KAFKA_BOOTSTRAP_SERVERS: BROKERS } });
const FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:my-kafka-function";
const UNKNOWN = "3f0f6c56-51e0-4d4b-9d43-2d4b0d8bb4a1";

let world: AwsWorld;
let clients: PythonClients;
let secrets: SecretsFolder;

function created(answer: CliAnswer) {
  expect(answer.error).toBe("");
  expect(answer.code).toBe(0);
  return JSON.parse(answer.output);
}

const lambda = (...args: string[]) => clients.cli("lambda", ...args);
const json = async (...args: string[]) => created(await lambda(...args));

/** What the CLI prints of an error, and its exit code. */
async function failure(...args: string[]): Promise<string> {
  const { code, output, error } = await lambda(...args);
  expect([code, output]).toEqual([255, ""]);
  return error.trim();
}

const isMissing = missingForPython() !== undefined;
beforeAll(async () => {
  if (isMissing) return;
  secrets = createSecretsFolder();
  secrets.put("MyBrokerSecretName", { username: "alice", password: plantedSecret("aws") }, BROKERS);
  world = await startAwsWorld(inject("POSTGRES"), { PENSTOCK_SECRETS_DIR: secrets.path });
  clients = await startPythonClients(world.endpoint);
}, SETUP_MS);
afterAll(async () => {
  await clients?.stop();
  await world?.stop();
  secrets?.remove();
});

describe.skipIf(isMissing)("the AWS CLI", () => {
  const scram = (topic: string) => [
    "create-event-source-mapping",
    "--topics",
    topic,
    "--source-access-configuration",
    "Type=SASL_SCRAM_512_AUTH,URI=arn:aws:secretsmanager:us-east-1:111122223333:secret:MyBrokerSecretName",
    "--function-name",
    FUNCTION,
    "--self-managed-event-source",
    SOURCE,
  ];

  it("creates with SASL/SCRAM as the guide does, and views, lists, tags, updates and deletes it", async () => {
    const mapping = await json(...scram("AWSKafkaTopic"));
    const { UUID: uuid, EventSourceMappingArn: arn } = mapping;
    expect(mapping).toEqual({
      UUID: expect.stringMatching(/^[0-9a-f-]{36}$/),
      EventSourceMappingArn: `arn:aws:lambda:us-east-1:${ACCOUNT}:event-source-mapping:${uuid}`,
      FunctionArn: FUNCTION_ARN,
      BatchSize: 100,
      StartingPosition: "TRIM_HORIZON",
      Topics: ["AWSKafkaTopic"],
      SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: BROKERS } },
      SelfManagedKafkaEventSourceConfig: { ConsumerGroupId: uuid },
      SourceAccessConfigurations: [
        {
          Type: "SASL_SCRAM_512_AUTH",
          URI: "arn:aws:secretsmanager:us-east-1:111122223333:secret:MyBrokerSecretName",
        },
      ],
      State: "Creating",
      StateTransitionReason: "USER_INITIATED",
      LastProcessingResult: "No records processed",
      LastModified: expect.any(Number),
    });
    expect(await json("get-event-source-mapping", "--uuid", uuid)).toEqual(mapping);
    const listed = await json("list-event-source-mappings", "--function-name", FUNCTION);
    expect(listed.EventSourceMappings).toContainEqual(mapping);

    expect(await failure(...scram("AWSKafkaTopic"))).toBe(
      "An error occurred (ResourceConflictException) when calling the CreateEventSourceMapping operation: " +
        `An event source mapping with event source ("${BROKERS.join(",")}"), function ("${FUNCTION_ARN}"), topics ("AWSKafkaTopic") already exists. ` +
        `Please update or delete the existing mapping with UUID ${uuid}`,
    );

    const tags = JSON.stringify({ team: "a", "cost center": "b/c" });
    const silent = { code: 0, output: "", error: "" };
    expect(await lambda("tag-resource", "--resource", arn, "--tags", tags)).toEqual(silent);
    expect(
      await lambda("untag-resource", "--resource", arn, "--tag-keys", "team", "nothing"),
    ).toEqual(silent);
    expect(await json("list-tags", "--resource", arn)).toEqual({ Tags: { "cost center": "b/c" } });

    expect(
      await failure("update-event-source-mapping", "--uuid", uuid, "--batch-size", "5"),
    ).toContain("An error occurred (ResourceInUseException)");
    await world.settle(uuid);
    const stopped = await json("update-event-source-mapping", "--uuid", uuid, "--no-enabled");
    expect(stopped.State).toBe("Disabling");
    const deleted = await json("delete-event-source-mapping", "--uuid", uuid);
    expect(deleted).toMatchObject({ UUID: uuid, State: "Deleting" });
  }, 120_000);

  it("creates in a VPC as the guide does", async () => {
    const networks = [
      { Type: "VPC_SUBNET", URI: "subnet:subnet-0011001100" },
      { Type: "VPC_SUBNET", URI: "subnet:subnet-0022002200" },
      { Type: "VPC_SECURITY_GROUP", URI: "security_group:sg-0123456789" },
    ];
    const mapping = await json(
      "create-event-source-mapping",
      "--topics",
      "AWSKafkaTopic-vpc",
      "--source-access-configuration",
      JSON.stringify(networks),
      "--function-name",
      FUNCTION,
      "--self-managed-event-source",
      SOURCE,
    );
    expect(mapping.SourceAccessConfigurations).toEqual(networks);
  });

  it("configures provisioned mode and leaves it, as the guide does", async () => {
    const uuid = await world.createEnabled();
    const config = { MinimumPollers: 5, MaximumPollers: 100 };
    const update = (text: string) =>
      json("update-event-source-mapping", "--uuid", uuid, "--provisioned-poller-config", text);
    const provisioned = await update(JSON.stringify(config));
    expect(provisioned).toMatchObject({ ProvisionedPollerConfig: config, State: "Updating" });
    await world.settle(uuid);
    const back = await update("{}");
    expect(back).not.toHaveProperty("ProvisionedPollerConfig");
    const read = await json("get-event-source-mapping", "--uuid", uuid);
    expect(read).not.toHaveProperty("ProvisionedPollerConfig");
  });

  it("refuses the guide's own UUIDs, which aren't any, as a client error", async () => {
    // The second has 36 characters, the first 37.
    for (const uuid of [
      "dh38738e-992b-343a-1077-3478934hjkfd7",
      "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111",
    ]) {
      expect(await failure("get-event-source-mapping", "--uuid", uuid)).toContain(
        "An error occurred (ValidationException) when calling the GetEventSourceMapping operation: 1 validation error detected: " +
          `Value '${uuid}' at 'uUID' failed to satisfy constraint: `,
      );
    }
    expect(await failure("get-event-source-mapping", "--uuid", UNKNOWN)).toBe(
      "An error occurred (ResourceNotFoundException) when calling the GetEventSourceMapping operation: " +
        "The resource you requested does not exist.",
    );
  });

  it("I-14: pages with --page-size, and cuts with --max-items and a token of its own", async () => {
    const uuids: string[] = [];
    for (let i = 0; i < 5; i++) {
      uuids.push(await world.createEnabled({ FunctionName: "orders:paged" }));
    }
    const list = ["list-event-source-mappings", "--function-name", "orders:paged"];
    const all = await json(...list, "--page-size", "2");
    expect(all.EventSourceMappings.map(({ UUID }: { UUID: string }) => UUID)).toEqual(uuids);
    const first = await json(...list, "--page-size", "2", "--max-items", "3");
    const rest = await json(...list, "--page-size", "2", "--starting-token", first.NextToken);
    expect(
      [...first.EventSourceMappings, ...rest.EventSourceMappings].map(({ UUID }) => UUID),
    ).toEqual(uuids);
    expect(await failure(...list, "--no-paginate", "--max-items", "20000")).toContain(
      "at 'maxItems' failed to satisfy constraint",
    );
  });

  it("runs as the program that a user starts", async () => {
    const output = await clients.program("lambda", "list-event-source-mappings", "--no-paginate");
    expect(JSON.parse(output)).toHaveProperty("EventSourceMappings");
  });
});

describe.skipIf(isMissing)("boto3", () => {
  const input = (members: object = {}) => ({
    FunctionName: FUNCTION,
    Topics: [newTopic()],
    SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: BROKERS } },
    ...members,
  });

  it("creates, reads, updates, tags and deletes", async () => {
    const answer = await clients.boto3(
      "create_event_source_mapping",
      input({
        StartingPosition: "AT_TIMESTAMP",
        StartingPositionTimestamp: 1_700_000_000.5,
        FilterCriteria: { Filters: [{ Pattern: '{"value":{"a":[1]}}' }] },
        ProvisionedPollerConfig: { MinimumPollers: 5, MaximumPollers: 100 },
        Tags: { team: "a" },
      }),
    );
    expect(answer).toMatchObject({
      status: 202,
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      result: {
        State: "Creating",
        StartingPosition: "AT_TIMESTAMP",
        StartingPositionTimestamp: expect.stringContaining("2023-11-14T22:13:20.500000"),
        LastModified: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        ProvisionedPollerConfig: { MinimumPollers: 5, MaximumPollers: 100 },
      },
    });
    const { UUID, EventSourceMappingArn: Resource } = answer.result;
    expect(await clients.boto3("get_event_source_mapping", { UUID })).toMatchObject({
      status: 200,
      result: answer.result,
    });
    await world.settle(UUID);
    const updated = await clients.boto3("update_event_source_mapping", {
      UUID,
      FilterCriteria: {},
      BatchSize: 1,
    });
    expect(updated).toMatchObject({ status: 202, result: { BatchSize: 1, State: "Updating" } });
    expect(updated.result).not.toHaveProperty("FilterCriteria");
    expect((await clients.boto3("tag_resource", { Resource, Tags: { "ä b+c": "d" } })).status).toBe(
      204,
    );
    expect(
      (await clients.boto3("untag_resource", { Resource, TagKeys: ["team", "x"] })).status,
    ).toBe(204);
    expect((await clients.boto3("list_tags", { Resource })).result.Tags).toEqual({ "ä b+c": "d" });
    const deleted = await clients.boto3("delete_event_source_mapping", { UUID });
    expect(deleted).toMatchObject({ status: 202, result: { State: "Deleting" } });
  });

  it("raises each error as its class", async () => {
    const duplicate = input();
    await clients.boto3("create_event_source_mapping", duplicate);
    const cases: [string, object, string, number][] = [
      ["get_event_source_mapping", { UUID: UNKNOWN }, "ResourceNotFoundException", 404],
      ["create_event_source_mapping", duplicate, "ResourceConflictException", 409],
      [
        "create_event_source_mapping",
        input({ FunctionName: "nobody" }),
        "InvalidParameterValueException",
        400,
      ],
    ];
    for (const [operation, parameters, type, status] of cases) {
      const { error } = await clients.boto3(operation, parameters);
      expect(error).toMatchObject({ type, class: type, status, requestId: expect.any(String) });
    }
    // What boto3 lets through: maxima, enums, lengths of lists.
    const wrong = await clients.boto3(
      "create_event_source_mapping",
      input({ BatchSize: 20_000, StartingPosition: "FOO", Topics: ["aa", "bb"] }),
    );
    expect(wrong.error).toMatchObject({ type: "ValidationException", status: 400 });
    expect(wrong.error?.message).toMatch(/^3 validation errors detected: /);
  });

  it("pages through every mapping once", async () => {
    const uuids: string[] = [];
    for (let i = 0; i < 7; i++) uuids.push(await world.createEnabled({ FunctionName: "orders:b" }));
    const pages = await clients.pages({ FunctionName: "orders:b" }, 3);
    expect(pages.map(({ length }) => length)).toEqual([3, 3, 1]);
    expect(pages.flat().map((mapping) => (mapping as { UUID: string }).UUID)).toEqual(uuids);
  });
});
