import { symlink, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import { createTestAuthority, plantedSecret } from "@penstock/testkit";
import { describe, expect, it } from "vitest";
import { entry, startSecrets, temporaryFolder } from "./secrets-world.ts";

const ARN = "arn:aws:secretsmanager:us-east-1:111122223333:secret:";
const OPERATOR = { subject: "mallory", roles: new Set(["operator"]) };
const LOGIN = { username: "orders", password: plantedSecret("kafka-password") };
const denied = expect.objectContaining({ code: "secretDenied" });

describe("the policy of a secret", () => {
  it("S-12: the theft: somebody's secret in a mapping with one's own broker is refused when it is created and when it connects, with SASL/PLAIN and without TLS too", async () => {
    const world = await startSecrets({
      plaintextSaslBrokers: ["broker.mallory.example:9092", "kafka.orders.example:9096"],
    });
    await world.put("orders", LOGIN);
    await world.allow("orders", "*.kafka.orders.example:9096", "kafka.orders.example:9096");
    for (const uri of ["file:orders", `${ARN}orders`, `${ARN}orders-AbCdEf`]) {
      const access = [entry("BASIC_AUTH", uri)];
      const theft = ["broker.mallory.example:9092"];
      await expect(world.secrets.checkUse(access, theft, OPERATOR)).rejects.toEqual(denied);
      const source = world.secrets.sourceSecurity.open(access, theft);
      await expect(source.credentials("broker.mallory.example", 9092)).rejects.toEqual(denied);
      // The good broker as bait: what the cluster advertises is judged too.
      const bait = ["kafka.orders.example:9096"];
      await world.secrets.checkUse(access, bait, OPERATOR);
      const baited = world.secrets.sourceSecurity.open(access, bait);
      await expect(baited.credentials("kafka.orders.example", 9096)).resolves.toMatchObject({
        sasl: { mechanism: "PLAIN", ...LOGIN },
      });
      for (const [host, port] of [
        ["broker.mallory.example", 9092],
        ["kafka.orders.example", 9097],
        ["kafka.orders.example.mallory.example", 9096],
        ["xkafka.orders.example", 9096],
      ] as const) {
        await expect(baited.credentials(host, port)).rejects.toEqual(denied);
      }
      await expect(
        world.secrets.checkUse(access, [...bait, ...theft], OPERATOR),
      ).rejects.toMatchObject({
        violations: [{ field: "source_access_configurations[0].uri" }],
      });
    }
  });

  it("S-12: a secret without a policy goes nowhere, unless the development setting says so; a policy that is there holds anyway", async () => {
    const world = await startSecrets();
    await world.put("orders", LOGIN);
    const access = [entry("SASL_SCRAM_512_AUTH", "file:orders")];
    const brokers = ["kafka:9096"];
    await expect(world.secrets.checkUse(access, brokers, OPERATOR)).rejects.toThrow(
      "has no policy",
    );
    const source = world.secrets.sourceSecurity.open(access, brokers);
    await expect(source.credentials("kafka", 9096)).rejects.toThrow("has no policy");
    const lax = await startSecrets({ secretsWithoutPolicy: true }, { dir: world.dir });
    await lax.secrets.checkUse(access, brokers, OPERATOR);
    await lax.allow("orders", "elsewhere:9096");
    await expect(lax.secrets.checkUse(access, brokers, OPERATOR)).rejects.toEqual(denied);
  });

  it("S-12: only the roles and subjects that it names may use the secret in a mapping", async () => {
    const world = await startSecrets();
    await world.put("orders", LOGIN);
    await world.put(
      "orders.policy.yaml",
      'brokers: ["kafka:9096"]\nroles: [admin]\nsubjects: [alice]\n',
    );
    const use = (subject: string, ...roles: string[]) =>
      world.secrets.checkUse([entry("BASIC_AUTH", "file:orders")], ["kafka:9096"], {
        subject,
        roles: new Set(roles),
      });
    await use("alice", "operator");
    await use("root", "operator", "admin");
    await expect(use("mallory", "operator")).rejects.toEqual(denied);
  });

  it("S-12: the policy file and the one beside a secret must both admit; the most specific entry counts; a change is seen at once", async () => {
    const policies = join(await temporaryFolder(), "policies.yaml");
    const world = await startSecrets({ secretsPolicies: policies });
    await world.put("orders", LOGIN);
    const write = (text: string) => writeFile(policies, text);
    const use = (uri: string, broker: string) =>
      world.secrets.checkUse([entry("BASIC_AUTH", uri)], [broker], OPERATOR);
    await expect(use("file:orders", "a:1")).rejects.toThrow("does not exist");
    await write(
      'secrets:\n  - secret: "vault:team/*"\n    brokers: ["a:1"]\n  - secret: "vault:team/orders"\n    brokers: ["b:1"]\n  - secret: file:orders\n    brokers: ["a:1", "b:1"]\n',
    );
    await use("vault:team/other", "a:1");
    await use("vault:team/orders", "b:1");
    await expect(use("vault:team/orders", "a:1")).rejects.toEqual(denied);
    await expect(use("vault:teamx", "a:1")).rejects.toEqual(denied);
    await use(`${ARN}orders`, "a:1");
    await world.allow("orders", "b:1", "c:1");
    await use("file:orders", "b:1");
    await expect(use("file:orders", "a:1")).rejects.toEqual(denied);
    await expect(use("file:orders", "c:1")).rejects.toEqual(denied);
    await write("secrets: []\n");
    await expect(use("vault:team/orders", "b:1")).rejects.toEqual(denied);
  });

  it.each([
    ["no YAML", "brokers: ['a", "line 1"],
    ["a typing error", "broker: ['kafka:9096']", 'unknown member "broker"'],
    ["no brokers", "roles: [admin]", '"brokers"'],
    ["a host without a port", "brokers: [kafka]", "host:port"],
  ])(
    "S-12: a policy with %s refuses every use and says what is wrong",
    async (_what, text, words) => {
      const world = await startSecrets({ secretsWithoutPolicy: true });
      await world.put("orders", LOGIN);
      await world.put("orders.policy.yaml", text);
      const use = world.secrets.checkUse(
        [entry("BASIC_AUTH", "file:orders")],
        ["kafka:9096"],
        OPERATOR,
      );
      await expect(use).rejects.toEqual(denied);
      await expect(use).rejects.toThrow(words);
    },
  );
});

describe("the source security of a mapping", () => {
  it("no entry is plaintext without credentials; a client certificate, private roots and the system's are TLS", async () => {
    const world = await startSecrets({ secretsWithoutPolicy: true });
    const authority = await createTestAuthority();
    const client = await authority.issue(["orders"]);
    await world.put("client", client);
    await world.put("ca", { certificate: authority.certificate });
    const { sourceSecurity } = world.secrets;
    const plain = sourceSecurity.open([entry("VPC_SUBNET", "subnet:subnet-1")], ["kafka:9092"]);
    expect(plain.isTls).toBe(false);
    await expect(plain.credentials("kafka", 9092)).resolves.toMatchObject({
      tls: null,
      sasl: null,
    });
    const roots = entry("SERVER_ROOT_CA_CERTIFICATE", "file:ca");
    const mutual = sourceSecurity.open(
      [entry("CLIENT_CERTIFICATE_TLS_AUTH", "file:client"), roots],
      ["kafka:9096"],
    );
    expect(mutual.isTls).toBe(true);
    const { tls } = await mutual.credentials("kafka", 9096);
    expect(tls?.ca?.trim()).toBe(authority.certificate.trim());
    expect(tls?.certificate?.trim()).toBe(client.certificate.trim());
    expect(tls?.privateKey).toBe(client.privateKey);
    const system = sourceSecurity.open(
      [entry("SERVER_ROOT_CA_CERTIFICATE", "system")],
      ["kafka:9096"],
    );
    expect(system.isTls).toBe(true);
    await expect(system.credentials("kafka", 9096)).resolves.toMatchObject({
      tls: { ca: null, certificate: null },
      sasl: null,
    });
  });

  it("S-21: credentials go without TLS to listed brokers only, and never when a root or a certificate asks for TLS", async () => {
    const world = await startSecrets({
      secretsWithoutPolicy: true,
      plaintextSaslBrokers: ["kafka:9092", "broker-1:9092"],
    });
    await world.put("login", LOGIN);
    const login = entry("SASL_SCRAM_256_AUTH", "file:login");
    const { sourceSecurity } = world.secrets;
    const listed = sourceSecurity.open([login], ["kafka:9092"]);
    expect(listed.isTls).toBe(false);
    await expect(listed.credentials("broker-1", 9092)).resolves.toMatchObject({ tls: null });
    await expect(listed.credentials("broker-2", 9092)).rejects.toThrow("without TLS");
    expect(sourceSecurity.open([login], ["kafka:9092", "other:9092"]).isTls).toBe(true);
    const system = entry("SERVER_ROOT_CA_CERTIFICATE", "system");
    expect(sourceSecurity.open([login, system], ["kafka:9092"]).isTls).toBe(true);
  });

  it("identities are equal for the same entries in any order, and for no others", async () => {
    const { secrets } = await startSecrets();
    const identity = (...access: ReturnType<typeof entry>[]) =>
      secrets.sourceSecurity.open(access, ["kafka:9096"]).identity;
    const a = entry("BASIC_AUTH", "file:a");
    const ca = entry("SERVER_ROOT_CA_CERTIFICATE", "file:ca");
    expect(identity(a, ca)).toBe(identity(ca, entry("VPC_SUBNET", "subnet:x"), a));
    const others = [identity(), identity(a), identity(ca), identity(entry("BASIC_AUTH", "file:b"))];
    others.push(identity(entry("SASL_SCRAM_256_AUTH", "file:a")), identity(entry("IAM_AUTH", "")));
    expect(new Set(others).size).toBe(others.length);
  });

  it("a list that contradicts itself says so when it is used", async () => {
    const { secrets } = await startSecrets();
    const access = [entry("BASIC_AUTH", "file:a"), entry("OAUTHBEARER_AUTH", "file:a")];
    const source = secrets.sourceSecurity.open(access, ["kafka:9096"]);
    const malformed = expect.objectContaining({ code: "secretMalformed" });
    await expect(source.credentials("kafka", 9096)).rejects.toEqual(malformed);
    await expect(secrets.checkUse(access, ["kafka:9096"], OPERATOR)).rejects.toEqual(malformed);
  });

  it("a rotated password and a repaired secret are used without a restart, and the version says that they changed", async () => {
    const world = await startSecrets({ secretsWithoutPolicy: true });
    await world.put("v1", { ...LOGIN, password: "first" });
    await world.put("v2", { ...LOGIN, password: "second" });
    const access = [entry("SASL_SCRAM_512_AUTH", "file:login")];
    const source = world.secrets.sourceSecurity.open(access, ["kafka:9096"]);
    await expect(source.credentials("kafka", 9096)).rejects.toMatchObject({
      code: "secretMissing",
    });
    await symlink("v1", join(world.dir, "login"));
    const first = await source.credentials("kafka", 9096);
    await unlink(join(world.dir, "login"));
    await symlink("v2", join(world.dir, "login"));
    source.refused(first.version);
    const second = await source.credentials("kafka", 9096);
    expect(second.sasl).toMatchObject({ password: "second" });
    expect(second.version).not.toBe(first.version);
    expect((await source.credentials("kafka", 9096)).version).toBe(second.version);
  });

  it("I-21, S-12: credentials, sources and versions show nothing of the secret", async () => {
    const world = await startSecrets({ secretsWithoutPolicy: true });
    const { privateKey, certificate } = await (await createTestAuthority()).issue(["orders"]);
    await world.put("login", LOGIN);
    await world.put("client", { privateKey, certificate });
    const access = [
      entry("BASIC_AUTH", "file:login"),
      entry("CLIENT_CERTIFICATE_TLS_AUTH", "file:client"),
    ];
    const source = world.secrets.sourceSecurity.open(access, ["kafka:9096"]);
    const credentials = await source.credentials("kafka", 9096);
    expect(credentials.sasl).toMatchObject(LOGIN);
    const shown = [credentials, credentials.sasl, credentials.tls, source, world.secrets]
      .flatMap((value) => [inspect(value, { depth: 12, showHidden: true }), JSON.stringify(value)])
      .join();
    expect(shown).not.toContain(LOGIN.password);
    expect(shown).not.toContain(privateKey.split("\n")[1]);
  });
});
