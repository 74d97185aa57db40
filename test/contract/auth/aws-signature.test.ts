// The AWS face with access keys, as the JavaScript SDK signs for it, and as nobody should.
import { request } from "node:http";
import {
  DeleteEventSourceMappingCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  ListTagsCommand,
} from "@aws-sdk/client-lambda";
import { waitUntil } from "@penstock/testkit";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import {
  ACCESS_KEYS,
  type AuthWorld,
  logged,
  startAuthWorld,
  testCredentials,
} from "./auth-world.ts";

let world: AuthWorld;
const clients: LambdaClient[] = [];

beforeAll(async () => {
  world = await startAuthWorld(inject("POSTGRES"), testCredentials());
  await waitUntil("the mapping service is ready", async () => {
    return (await fetch(`http://${world.mapping.http}/readyz`)).ok;
  });
}, 120_000);
afterAll(async () => {
  for (const client of clients) client.destroy();
  await world.stop();
});

interface Key {
  readonly id: string;
  readonly secret: string;
  readonly sessionToken?: string;
}

function sdk({ id, secret, sessionToken }: Key, more: { systemClockOffset?: number } = {}) {
  const client = new LambdaClient({
    endpoint: `http://${world.mapping.http}`,
    region: "eu-central-1",
    maxAttempts: 1,
    credentials: {
      accessKeyId: id,
      secretAccessKey: secret,
      ...(sessionToken !== undefined && { sessionToken }),
    },
    ...more,
  });
  clients.push(client);
  return client;
}

const NOBODY = "5b1f3c9e-6a0d-4c1b-9e57-0d3c8a2f4e61";
const list = (client: LambdaClient) =>
  client.send(new ListEventSourceMappingsCommand({ FunctionName: "größe & more", MaxItems: 5 }));

describe("requests that an SDK signs", () => {
  it("S-10: get in by their key, a query with escapes and an ARN in the path included", async () => {
    const viewer = sdk(ACCESS_KEYS.viewer);
    expect((await list(viewer).catch((error: unknown) => error)) as Error).not.toMatchObject({
      $metadata: { httpStatusCode: 403 },
    });
    const arn = `arn:aws:lambda:us-east-1:000000000000:event-source-mapping:${NOBODY}`;
    await expect(viewer.send(new ListTagsCommand({ Resource: arn }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
  });

  it("S-10: have the role of their key", async () => {
    const deletion = () => new DeleteEventSourceMappingCommand({ UUID: NOBODY });
    await expect(sdk(ACCESS_KEYS.viewer).send(deletion())).rejects.toMatchObject({
      name: "AccessDeniedException",
    });
    await expect(sdk(ACCESS_KEYS.operator).send(deletion())).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
  });

  it("are logged with who made them, when they may change something", async () => {
    const deletion = new DeleteEventSourceMappingCommand({ UUID: NOBODY });
    await expect(sdk(ACCESS_KEYS.operator).send(deletion)).rejects.toThrow();
    await logged(
      world,
      '"msg":"call"',
      '"subject":"key-operator"',
      `"method":"DELETE /`,
      '"code":"notFound"',
    );
  });

  it.each<[string, Key, number, string]>([
    [
      "unknown",
      { id: "AKIANOBODY0000000001", secret: "s".repeat(40) },
      0,
      "UnrecognizedClientException",
    ],
    ["expired", ACCESS_KEYS.expired, 0, "UnrecognizedClientException"],
    [
      "of another secret",
      { ...ACCESS_KEYS.viewer, secret: "s".repeat(40) },
      0,
      "InvalidSignatureException",
    ],
    [
      "of a session",
      { ...ACCESS_KEYS.viewer, sessionToken: "t" },
      0,
      "UnrecognizedClientException",
    ],
    ["used by a clock an hour behind", ACCESS_KEYS.viewer, -3_600_000, "InvalidSignatureException"],
  ])("S-10: are refused when the key is %s", async (_what, key, systemClockOffset, name) => {
    await expect(list(sdk(key, { systemClockOffset }))).rejects.toMatchObject({
      name,
      $metadata: { httpStatusCode: 403 },
    });
  });
});

describe("requests that nobody signs", () => {
  const path = "/2015-03-31/event-source-mappings/";

  function send(headers: Record<string, string>, url = path) {
    return new Promise<[number | undefined, string | undefined]>((resolve, reject) => {
      const [host, port] = world.mapping.http.split(":");
      const sent = request({ host, port, path: url, headers, agent: false }, (response) => {
        response.resume();
        const type = response.headers["x-amzn-errortype"];
        response.on("end", () => resolve([response.statusCode, [type].flat()[0]]));
      });
      sent.on("error", reject);
      sent.end();
    });
  }

  it.each([
    ["nothing", {}, "MissingAuthenticationTokenException"],
    [
      "half a header",
      { authorization: "AWS4-HMAC-SHA256 Credential=a" },
      "IncompleteSignatureException",
    ],
    [
      "a scope of another kind",
      { authorization: "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0" },
      "IncompleteSignatureException",
    ],
  ] as const)("S-10: with %s are refused in AWS's words", async (_what, headers, type) => {
    expect(await send(headers)).toEqual([403, type]);
  });

  it("S-10: with a signature in the query are refused", async () => {
    const query = "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00";
    expect(await send({}, path + query)).toEqual([403, "IncompleteSignatureException"]);
  });
});
