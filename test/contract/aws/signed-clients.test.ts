import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  ListTagsCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from "@aws-sdk/client-lambda";
import { missingForPython } from "@penstock/local";
import { plantedSecret } from "@penstock/testkit";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type AwsWorld, createBody, MAPPINGS, newTopic, startAwsWorld } from "./aws-world.ts";
import { awsEnvironment, startPythonClients } from "./python-clients.ts";

/** What unmodified clients sign is what the endpoint verifies: encoded paths, repeated keys, bodies. Access keys are configured here. */

const { AWS_ACCESS_KEY_ID: ID = "", AWS_SECRET_ACCESS_KEY: SECRET = "" } = awsEnvironment("");
const VIEWER = { id: "AKIAVIEWER", secret: plantedSecret("aws-key") };
const isMissing = missingForPython() !== undefined;

let world: AwsWorld;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "penstock-keys-"));
  const path = join(folder, "credentials.yaml");
  const keys = [
    { name: "operator", id: ID, secret: SECRET, roles: ["operator"] },
    { name: "viewer", ...VIEWER, roles: ["viewer"] },
  ];
  writeFileSync(path, JSON.stringify({ access_keys: keys }), { mode: 0o600 });
  world = await startAwsWorld(inject("POSTGRES"), { PENSTOCK_CREDENTIALS_FILE: path });
});
afterAll(async () => {
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function withKey<T>(
  { id, secret }: { id: string; secret: string },
  use: (sdk: LambdaClient) => Promise<T>,
): Promise<T> {
  const sdk = new LambdaClient({
    endpoint: world.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: id, secretAccessKey: secret },
    maxAttempts: 1,
  });
  return use(sdk).finally(() => sdk.destroy());
}

const create = () => new CreateEventSourceMappingCommand(createBody() as never);
const list = () => new ListEventSourceMappingsCommand({ FunctionName: "a function of nobody's" });
const nameOf = (call: Promise<unknown>) =>
  call.then(
    () => null,
    (error: Error) => error.name,
  );

describe("the JavaScript SDK with an access key", () => {
  it("creates, lists by any form of a name, tags and untags with characters that are encoded", async () => {
    await withKey({ id: ID, secret: SECRET }, async (sdk) => {
      const { UUID, EventSourceMappingArn: Resource } = await sdk.send(create());
      const arn = "arn:aws:lambda:us-east-1:111122223333:function:orders";
      const listing = new ListEventSourceMappingsCommand({ FunctionName: arn, MaxItems: 10_000 });
      const { EventSourceMappings } = await sdk.send(listing);
      expect(EventSourceMappings).toMatchObject([{ UUID }]);
      const Tags = { "ä b+c/d=@": "x", "a:b": "y", keep: "z" };
      await sdk.send(new TagResourceCommand({ Resource, Tags }));
      await sdk.send(new UntagResourceCommand({ Resource, TagKeys: ["ä b+c/d=@", "a:b"] }));
      const tags = await sdk.send(new ListTagsCommand({ Resource }));
      expect(tags.Tags).toEqual({ keep: "z" });
    });
  });

  it("S-10: is told what is wrong with its key, its signature or its role", async () => {
    await withKey(VIEWER, async (sdk) => {
      expect(await nameOf(sdk.send(create()))).toBe("AccessDeniedException");
      const get = new GetEventSourceMappingCommand({
        UUID: "3f0f6c56-51e0-4d4b-9d43-2d4b0d8bb4a1",
      });
      expect(await nameOf(sdk.send(get))).toBe("ResourceNotFoundException");
    });
    const wrong = { id: ID, secret: randomBytes(20).toString("hex") };
    expect(await withKey(wrong, (sdk) => nameOf(sdk.send(list())))).toBe(
      "InvalidSignatureException",
    );
    const unknown = { ...wrong, id: "AKIANOBODY" };
    expect(await withKey(unknown, (sdk) => nameOf(sdk.send(list())))).toBe(
      "UnrecognizedClientException",
    );
  });
});

it("S-10: without a signature nobody learns even which paths there are", async () => {
  for (const [method, path] of [
    ["GET", MAPPINGS],
    ["POST", MAPPINGS],
    ["PATCH", MAPPINGS],
    ["GET", "/2015-03-31/functions"],
    ["GET", "/2017-03-31/tags/x"],
  ] as const) {
    const answer = await world.call(method, path, method === "GET" ? undefined : {});
    expect([answer.status, answer.errorType]).toEqual([403, "MissingAuthenticationTokenException"]);
    expect(answer.headers.get("x-amzn-requestid")).not.toBeNull();
  }
});

describe.skipIf(isMissing)("the AWS CLI and boto3 with an access key", () => {
  it("sign what is verified, and are refused when they don't", async () => {
    const clients = await startPythonClients(world.endpoint);
    try {
      const { result } = await clients.boto3("create_event_source_mapping", {
        FunctionName: "my-kafka-function",
        Topics: [newTopic()],
        SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ["127.0.0.1:9092"] } },
        Tags: { "a b": "c", d: "e" },
      });
      const { EventSourceMappingArn: Resource } = result;
      const untagged = await clients.boto3("untag_resource", { Resource, TagKeys: ["a b", "+/="] });
      expect(untagged.status).toBe(204);
      const tags = await clients.cli("lambda", "list-tags", "--resource", Resource);
      expect([tags.error, JSON.parse(tags.output)]).toEqual(["", { Tags: { d: "e" } }]);
      const unsigned = await clients.cli(
        "lambda",
        "list-event-source-mappings",
        "--no-sign-request",
      );
      expect(unsigned.error).toContain("MissingAuthenticationTokenException");
    } finally {
      await clients.stop();
    }
  });
});
