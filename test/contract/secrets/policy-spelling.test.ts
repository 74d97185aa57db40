import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { entry, type SecretsWorld, startSecrets, temporaryFolder } from "./secrets-world.ts";

const NAME = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:orders";
const EXACT = `${NAME}-AbCdEf`;
const SPELLINGS = [
  EXACT,
  NAME,
  `${NAME}-ZZZZZZ`,
  "arn:aws:secretsmanager:us-east-1:999999999999:secret:orders-ZZZZZZ",
  "arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:orders",
  "file:orders",
];
const LOGIN = { username: "u", password: "p" };
const denied = expect.objectContaining({ code: "secretDenied" });

async function startWith(policies: string, settings = {}): Promise<SecretsWorld> {
  const file = join(await temporaryFolder(), "policies.yaml");
  await writeFile(file, policies);
  return await startSecrets({ secretsPolicies: file, ...settings });
}

const use = ({ secrets }: SecretsWorld, uri: string, subject: string, broker = "kafka:9096") =>
  secrets.checkUse([entry("BASIC_AUTH", uri)], [broker], {
    subject,
    roles: new Set(["operator"]),
  });

const connect = async ({ secrets }: SecretsWorld, uri: string, host: string) => {
  const source = secrets.sourceSecurity.open([entry("BASIC_AUTH", uri)], [`${host}:9096`]);
  return await source.credentials(host, 9096);
};

/** Alice may, at one broker; nobody else, and nowhere else. */
async function expectAliceOnly(world: SecretsWorld, uri: string): Promise<void> {
  await use(world, uri, "alice");
  await expect(connect(world, uri, "kafka")).resolves.toMatchObject({ sasl: LOGIN });
  await expect(use(world, uri, "mallory"), uri).rejects.toEqual(denied);
  await expect(use(world, uri, "alice", "mallory.example:9096"), uri).rejects.toEqual(denied);
  await expect(connect(world, uri, "mallory.example"), uri).rejects.toEqual(denied);
}

const ALICE = (secret: string) =>
  `  - secret: "${secret}"\n    brokers: ["kafka:9096"]\n    subjects: [alice]\n`;

describe("the policy of a secret of the folder, by another spelling", () => {
  it.each([
    ["an ARN", EXACT],
    ["an ARN without the six characters", NAME],
    ["a path", "file:orders"],
    ["the beginning of ARNs", `${NAME}*`],
    ["the beginning of ARNs with what AWS adds", `${NAME}-*`],
  ])(
    "S-12: %s holds for every reference that leads to the file, before a broad entry",
    async (_what, secret) => {
      const world = await startWith(
        `secrets:\n${ALICE(secret)}  - secret: "arn:aws:secretsmanager:*"\n    brokers: ["*:*"]\n`,
      );
      await world.put("orders", LOGIN);
      await world.put("other", LOGIN);
      for (const uri of SPELLINGS) await expectAliceOnly(world, uri);
      await use(world, NAME.replace("orders", "other"), "mallory");
    },
  );

  it("S-12: secrets without a policy are admitted in development, but no other spelling makes a secret one of them", async () => {
    const world = await startWith(`secrets:\n${ALICE(EXACT)}`, { secretsWithoutPolicy: true });
    await world.put("orders", LOGIN);
    await world.put("other", LOGIN);
    for (const uri of SPELLINGS) await expectAliceOnly(world, uri);
    await use(world, "file:other", "mallory");
  });

  it("S-12: a mapping that is created before its secret is there gets no further", async () => {
    const world = await startWith(`secrets:\n${ALICE(EXACT)}`, { secretsWithoutPolicy: true });
    for (const uri of SPELLINGS) await expect(use(world, uri, "mallory")).rejects.toEqual(denied);
  });

  it("S-12: a link is under the policies of what it leads to, in the policy file and beside", async () => {
    const world = await startWith(`secrets:\n${ALICE(EXACT)}`, { secretsWithoutPolicy: true });
    await world.put("orders", LOGIN);
    await world.put("billing", LOGIN);
    await world.put("billing.policy.yaml", 'brokers: ["kafka:9096"]\nsubjects: [alice]\n');
    await symlink("orders", join(world.dir, "orders-link"));
    await symlink("billing", join(world.dir, "billing-link"));
    await expectAliceOnly(world, "file:orders-link");
    await expectAliceOnly(world, "file:billing-link");
  });
});
