import {
  CreateEventSourceMappingCommand,
  type CreateEventSourceMappingCommandInput,
  DeleteEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  LambdaClient,
  ListTagsCommand,
  paginateListEventSourceMappings,
  ResourceConflictException,
  ResourceInUseException,
  ResourceNotFoundException,
  TagResourceCommand,
  TooManyRequestsException,
  UntagResourceCommand,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type AwsWorld, KMS_KEY, MAPPINGS, newTopic, startAwsWorld } from "./aws-world.ts";

/** The JavaScript SDK as it comes, with nothing but an endpoint. */

const UNKNOWN = "3f0f6c56-51e0-4d4b-9d43-2d4b0d8bb4a1";
let world: AwsWorld;
let sdk: LambdaClient;
beforeAll(async () => {
  world = await startAwsWorld(inject("POSTGRES"));
  sdk = clientOf(world.endpoint);
});
afterAll(async () => {
  sdk.destroy();
  await world.stop();
});

function clientOf(endpoint: string, maxAttempts = 1): LambdaClient {
  return new LambdaClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
    maxAttempts,
  });
}

function createInput(
  members: Partial<CreateEventSourceMappingCommandInput> = {},
): CreateEventSourceMappingCommandInput {
  return {
    FunctionName: "orders",
    SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ["127.0.0.1:9092"] } },
    Topics: [newTopic()],
    ...members,
  };
}

async function failure(call: Promise<unknown>): Promise<Error> {
  return call.then(
    () => {
      throw new Error("it did not fail");
    },
    (error: Error) => error,
  );
}

describe("the JavaScript SDK", () => {
  it("creates, gets, updates and deletes a mapping, every setting coming back as it was sent", async () => {
    const settings = {
      BatchSize: 50,
      MaximumBatchingWindowInSeconds: 3,
      FilterCriteria: { Filters: [{ Pattern: '{"value":{"a":[1]}}' }] },
      ProvisionedPollerConfig: { MinimumPollers: 5, MaximumPollers: 100 },
      SourceAccessConfigurations: [
        { Type: "VPC_SUBNET" as const, URI: "subnet:subnet-0011001100" },
        { Type: "VPC_SECURITY_GROUP" as const, URI: "security_group:sg-0123456789" },
      ],
      DestinationConfig: { OnFailure: { Destination: "kafka://dead-letters" } },
      MaximumRetryAttempts: 3,
      MaximumRecordAgeInSeconds: 60,
      BisectBatchOnFunctionError: true,
      MetricsConfig: { Metrics: ["EventCount" as const, "KafkaMetrics" as const] },
      LoggingConfig: { SystemLogLevel: "WARN" as const },
    };
    const timestamp = new Date("2024-09-03T21:38:29.123Z");
    const created = await sdk.send(
      new CreateEventSourceMappingCommand(
        createInput({
          ...settings,
          StartingPosition: "AT_TIMESTAMP",
          StartingPositionTimestamp: timestamp,
          SelfManagedKafkaEventSourceConfig: { ConsumerGroupId: "sdk-group" },
          Tags: { team: "a" },
        }),
      ),
    );
    expect(created.$metadata.httpStatusCode).toBe(202);
    expect(created.$metadata.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(created).toMatchObject({
      ...settings,
      StartingPositionTimestamp: timestamp,
      SelfManagedKafkaEventSourceConfig: { ConsumerGroupId: "sdk-group" },
      State: "Creating",
    });
    expect(created.LastModified).toBeInstanceOf(Date);
    const { UUID = "", EventSourceMappingArn: Resource = "" } = created;

    await world.settle(UUID);
    const cleared = await sdk.send(
      new UpdateEventSourceMappingCommand({
        UUID,
        FilterCriteria: {},
        ProvisionedPollerConfig: {},
        DestinationConfig: { OnFailure: { Destination: "" } },
        MetricsConfig: { Metrics: [] },
        FunctionResponseTypes: [],
        KMSKeyArn: "",
      }),
    );
    expect(cleared.State).toBe("Updating");
    for (const gone of [
      "FilterCriteria",
      "ProvisionedPollerConfig",
      "DestinationConfig",
      "MetricsConfig",
    ]) {
      expect(cleared).not.toHaveProperty(gone);
    }
    expect(cleared.MaximumRetryAttempts).toBe(3);

    await sdk.send(new TagResourceCommand({ Resource, Tags: { "cost center": "a+b", team: "z" } }));
    await sdk.send(new UntagResourceCommand({ Resource, TagKeys: ["team", "no such key"] }));
    const { Tags } = await sdk.send(new ListTagsCommand({ Resource }));
    expect(Tags).toEqual({ "cost center": "a+b" });

    const deleted = await sdk.send(new DeleteEventSourceMappingCommand({ UUID }));
    expect(deleted.State).toBe("Deleting");
  });

  it("gives errors their classes and messages", async () => {
    const get = sdk.send(new GetEventSourceMappingCommand({ UUID: UNKNOWN }));
    const missing = await failure(get);
    expect(missing).toBeInstanceOf(ResourceNotFoundException);
    expect(missing.message).toBe("The resource you requested does not exist.");

    const input = createInput();
    const { UUID } = await sdk.send(new CreateEventSourceMappingCommand(input));
    const duplicate = await failure(sdk.send(new CreateEventSourceMappingCommand(input)));
    expect(duplicate).toBeInstanceOf(ResourceConflictException);
    expect(duplicate.message).toContain(`existing mapping with UUID ${UUID}`);

    const update = new UpdateEventSourceMappingCommand({ UUID, BatchSize: 1 });
    const inUse = await failure(sdk.send(update));
    expect(inUse).toBeInstanceOf(ResourceInUseException);

    const wrong = createInput({ BatchSize: 20_000, StartingPosition: "FOO" as never });
    const invalid = await failure(sdk.send(new CreateEventSourceMappingCommand(wrong)));
    expect(invalid.name).toBe("ValidationException");
    expect(invalid.message).toContain("2 validation errors detected: ");
  });

  it("I-14: pages through all mappings of a function, each once", async () => {
    const created: string[] = [];
    for (let i = 0; i < 7; i++) {
      // Criteria under a key are null in lists, which the SDK takes for absent.
      const FilterCriteria = { Filters: [{ Pattern: '{"value":[null]}' }] };
      const sealed = i === 0 ? { KMSKeyArn: KMS_KEY, FilterCriteria } : {};
      const input = createInput({ FunctionName: "my-kafka-function", ...sealed });
      const { UUID = "" } = await sdk.send(new CreateEventSourceMappingCommand(input));
      created.push(UUID);
    }
    const sizes: number[] = [];
    const found: (string | undefined)[] = [];
    const config = { client: sdk, pageSize: 3 };
    for await (const page of paginateListEventSourceMappings(config, {
      FunctionName: "my-kafka-function",
    })) {
      const mappings = page.EventSourceMappings ?? [];
      sizes.push(mappings.length);
      found.push(...mappings.map(({ UUID }) => UUID));
    }
    expect(found).toEqual(created);
    expect(sizes).toEqual([3, 3, 1]);
  });
});

describe("a caller that asks too often", () => {
  let throttled: AwsWorld;
  let client: LambdaClient;
  beforeAll(async () => {
    throttled = await startAwsWorld(inject("POSTGRES"), {
      PENSTOCK_AWS_REQUESTS_PER_SECOND: "1",
      PENSTOCK_AWS_REQUEST_BURST: "3",
    });
    client = clientOf(throttled.endpoint);
  });
  afterAll(async () => {
    client.destroy();
    await throttled.stop();
  });

  it("is answered with 429, AWS's reason and when to come back", async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => throttled.call("GET", `${MAPPINGS}?MaxItems=1`)),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(3);
    expect(refused.length).toBeGreaterThan(0);
    for (const { json, headers, errorType } of refused) {
      expect(errorType).toBe("TooManyRequestsException");
      const body = { Type: "User", message: "Rate exceeded", Reason: "CallerRateLimitExceeded" };
      expect(json).toEqual(body);
      expect(headers.get("retry-after")).toBe("1");
    }
    // Probes are no calls of the API.
    expect((await throttled.call("GET", "/healthz")).status).toBe(200);
  });

  it("sees a TooManyRequestsException in the SDK", async () => {
    const get = () => client.send(new GetEventSourceMappingCommand({ UUID: UNKNOWN }));
    const errors = await Promise.all(Array.from({ length: 20 }, () => failure(get())));
    expect(errors.find((each) => each instanceof TooManyRequestsException)).toMatchObject({
      Reason: "CallerRateLimitExceeded",
      retryAfterSeconds: "1",
      message: "Rate exceeded",
    });
  });
});
