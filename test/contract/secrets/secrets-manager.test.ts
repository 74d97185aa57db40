import { inspect } from "node:util";
import { plantedSecret } from "@penstock/testkit";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { entry, type SecretsWorld, serve, startSecrets } from "./secrets-world.ts";

const ARN = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:";

/**
 * The part of AWS Secrets Manager that Penstock uses: GetSecretValue in the AWS JSON 1.1 protocol, with its error shapes
 * (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html).
 */
async function startStandIn() {
  const manager = {
    secrets: new Map<string, Record<string, unknown>>(),
    /** Exception names by secret. */
    failures: new Map<string, string>(),
    status: 200,
    calls: [] as { target: string; authorization: string; secretId: string }[],
    endpoint: "",
  };
  const port = await serve(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const { SecretId: secretId = "" } = JSON.parse(text) as { SecretId?: string };
    const target = String(request.headers["x-amz-target"]);
    manager.calls.push({ target, authorization: String(request.headers.authorization), secretId });
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { "content-type": "application/x-amz-json-1.1" });
      response.end(JSON.stringify(body));
    };
    const fail = (name: string) => answer(400, { __type: name, Message: `about ${secretId}` });
    const failure = manager.failures.get(secretId);
    if (manager.status !== 200) answer(manager.status, { __type: "InternalServiceError" });
    else if (failure !== undefined) fail(failure);
    else if (!manager.secrets.has(secretId)) fail("ResourceNotFoundException");
    else
      answer(200, { ARN: secretId, Name: "x", VersionId: "v", ...manager.secrets.get(secretId) });
  });
  manager.endpoint = `http://127.0.0.1:${port}`;
  return manager;
}

type Manager = Awaited<ReturnType<typeof startStandIn>>;

const KEY_ID = "AKIDEXAMPLE";
const secretKey = plantedSecret("aws-secret-key");

/** The SDK looks for Penstock's own AWS credentials in the environment. */
beforeEach(() => {
  const wanted = {
    AWS_ACCESS_KEY_ID: KEY_ID,
    AWS_SECRET_ACCESS_KEY: secretKey,
    AWS_EC2_METADATA_DISABLED: "true",
  };
  for (const [name, value] of Object.entries(wanted)) {
    const before = process.env[name];
    process.env[name] = value;
    onTestFinished(() => {
      if (before === undefined) delete process.env[name];
      else process.env[name] = before;
    });
  }
});

const start = async (manager: Manager, settings = {}, options = {}) =>
  await startSecrets(
    {
      secretsDir: null,
      secretsWithoutPolicy: true,
      secretsManager: "aws",
      secretsManagerEndpoint: manager.endpoint,
      ...settings,
    },
    options,
  );

async function password({ secrets }: SecretsWorld, uri: string): Promise<string | null> {
  const source = secrets.sourceSecurity.open([entry("BASIC_AUTH", uri)], ["kafka:9096"]);
  const { sasl } = await source.credentials("kafka", 9096);
  return sasl !== null && "password" in sasl ? sasl.password : null;
}

describe("ARNs, against a stand-in that speaks the wire of Secrets Manager", () => {
  it("are read through AWS's SDK, signed for the region of the ARN, text and bytes alike", async () => {
    const manager = await startStandIn();
    const login = JSON.stringify({ username: "u", password: "p" });
    manager.secrets.set(`${ARN}text`, { SecretString: login });
    manager.secrets.set(`${ARN}bytes`, { SecretBinary: Buffer.from(login).toString("base64") });
    const world = await start(manager);
    await expect(password(world, `${ARN}text`)).resolves.toBe("p");
    await expect(password(world, `${ARN}bytes`)).resolves.toBe("p");
    await expect(password(world, `${ARN}bytes`)).resolves.toBe("p");
    expect(manager.calls).toHaveLength(2);
    const [call] = manager.calls;
    expect(call).toMatchObject({ target: "secretsmanager.GetSecretValue", secretId: `${ARN}text` });
    expect(call?.authorization).toContain(`Credential=${KEY_ID}/`);
    expect(call?.authorization).toContain("/eu-central-1/secretsmanager/aws4_request");
  });

  it.each([
    ["ResourceNotFoundException", "secretMissing"],
    ["InvalidRequestException", "secretMissing"],
    ["AccessDeniedException", "secretDenied"],
    ["DecryptionFailure", "secretDenied"],
    ["SomethingElse", "secretUnavailable"],
  ])("%s is %s", async (name, code) => {
    const manager = await startStandIn();
    manager.failures.set(`${ARN}a`, name);
    await expect(password(await start(manager), `${ARN}a`)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(`${ARN}a`),
    });
  });

  it("S-12: a beginning of an ARN, to which Secrets Manager answers as well, is no other name for the secret", async () => {
    const manager = await startStandIn();
    const secret = { SecretString: JSON.stringify({ username: "u", password: "p" }) };
    manager.secrets.set(`${ARN}orders-AbCdEf`, secret);
    manager.secrets.set(`${ARN}orders`, { ...secret, ARN: `${ARN}orders-AbCdEf` });
    const world = await start(manager);
    await expect(password(world, `${ARN}orders-AbCdEf`)).resolves.toBe("p");
    for (let time = 0; time < 2; time++) {
      await expect(password(world, `${ARN}orders`)).rejects.toMatchObject({
        code: "secretMissing",
        message: expect.stringContaining("exactly this ARN"),
      });
    }
  });

  it("S-01: the SDK goes through the address guard", async () => {
    const manager = await startStandIn();
    const addresses = { allowedSecretsManager: ["10.0.0.0/8"] };
    const world = await start(manager, {}, { addresses });
    await expect(password(world, `${ARN}a`)).rejects.toThrow("ADDRESSES_SECRETS_MANAGER");
    const own = await start(manager, {}, { ownPorts: [Number(new URL(manager.endpoint).port)] });
    await expect(password(own, `${ARN}a`)).rejects.toThrow("belongs to Penstock itself");
    expect(manager.calls).toHaveLength(0);
  });

  it("I-21: no failure shows the secret, the key or the signature", async () => {
    const manager = await startStandIn();
    const secret = plantedSecret("secrets-manager");
    manager.secrets.set(`${ARN}a`, { SecretString: `{"username": "u", "pass": "${secret}"}` });
    manager.secrets.set(`${ARN}b`, {});
    const world = await start(manager);
    const failures: unknown[] = [];
    for (const name of ["a", "b", "c"]) {
      failures.push(await password(world, ARN + name).catch((caught: unknown) => caught));
    }
    manager.status = 500;
    failures.push(await password(world, `${ARN}d`).catch((caught: unknown) => caught));
    expect(failures).toHaveLength(4);
    const shown = failures
      .map((failure) => inspect(failure, { depth: 12, showHidden: true }))
      .join();
    expect(shown).not.toContain(secret);
    expect(shown).not.toContain(secretKey);
    expect(shown).not.toContain("Signature");
  });
});
