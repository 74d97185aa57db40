import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecurityAdmin } from "@penstock/kafka";
import { createTestDatabase, type LocalKafka, missingForPython, startKafka } from "@penstock/local";
import { createTestAuthority, plantedSecret, World, waitUntil } from "@penstock/testkit";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { createSecretsFolder, type SecretsFolder } from "./aws-world.ts";
import { type PythonClients, startPythonClients } from "./python-clients.ts";

/**
 * The guide's SASL/SCRAM and provisioned-poller examples with the AWS CLI, on a broker that takes SCRAM over TLS and nothing else from this user: records
 * flow, and every procedure does what it says.
 */

const SETUP_MS = 400_000;
const SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:";
const FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:f";
const GROUP = "my-migrated-group";
const PARTITIONS = 4;
const isMissing = missingForPython() !== undefined;

let folder: string;
let kafka: LocalKafka;
let secrets: SecretsFolder;
let world: World;
let clients: PythonClients;
let hasFailed = true;

beforeAll(async () => {
  if (isMissing) return;
  folder = mkdtempSync(join(tmpdir(), "penstock-scram-"));
  const authority = await createTestAuthority();
  kafka = await startKafka({
    dataDir: folder,
    security: {
      identity: await authority.issue(["127.0.0.1"]),
      clientAuthority: authority.certificate,
    },
  });
  const password = plantedSecret("aws-scram");
  const broker = kafka.listener("SASL_TLS");
  secrets = createSecretsFolder();
  secrets.put("MyBrokerSecretName", { username: "alice", password }, [broker]);
  secrets.put("MyBrokerAuthority", { certificate: authority.certificate }, [broker]);
  world = await World.start({
    kafka: kafka.bootstrapServers,
    databaseUrl: await createTestDatabase(inject("POSTGRES")),
    partitions: PARTITIONS,
    isStandalone: true,
    mapping: null,
    env: { PENSTOCK_SECRETS_DIR: secrets.path },
  });
  const operator = createSecurityAdmin({ bootstrapServers: [kafka.bootstrapServers] });
  await operator.setScramPassword("alice", password);
  const read = { principal: "User:alice", operation: "Read" } as const;
  await operator.allow(
    { ...read, resource: "topic", name: world.topic },
    { ...read, resource: "group", name: GROUP },
  );
  await operator.close();
  clients = await startPythonClients(`http://${world.mappingService.ready.http}`);
}, SETUP_MS);

afterAll(async () => {
  await clients?.stop();
  await world?.stop({ isForced: hasFailed });
  await kafka?.stop();
  secrets?.remove();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
}, SETUP_MS);

async function aws(...args: string[]) {
  const { code, output, error } = await clients.cli("lambda", ...args);
  expect([code, error]).toEqual([0, ""]);
  return output === "" ? null : JSON.parse(output);
}

function reaches(uuid: string, members: object): Promise<object> {
  return waitUntil(
    `the mapping shows ${JSON.stringify(members)}`,
    async () => {
      const mapping = await aws("get-event-source-mapping", "--uuid", uuid);
      expect(mapping).toMatchObject(members);
      return mapping;
    },
    60_000,
  );
}

async function deliver(uuid: string, count: number): Promise<void> {
  await world.writer.sendKeyed(world.topic, count, PARTITIONS);
  await world.drain(60_000, world.topic, uuid);
}

describe.skipIf(isMissing)("the AWS CLI on a SCRAM broker", () => {
  it("creates, gets, lists, updates, tags and deletes a mapping through which records flow", async () => {
    const created = await aws(
      "create-event-source-mapping",
      "--topics",
      world.topic,
      "--source-access-configurations",
      `Type=SASL_SCRAM_512_AUTH,URI=${SECRET}MyBrokerSecretName`,
      `Type=SERVER_ROOT_CA_CERTIFICATE,URI=${SECRET}MyBrokerAuthority`,
      "--function-name",
      FUNCTION,
      "--self-managed-event-source",
      JSON.stringify({
        Endpoints: { KAFKA_BOOTSTRAP_SERVERS: [kafka.listener("SASL_TLS")] },
      }),
      "--self-managed-kafka-event-source-config",
      `ConsumerGroupId=${GROUP}`,
      "--provisioned-poller-config",
      '{"MinimumPollers": 5, "MaximumPollers": 100}',
    );
    const { UUID: uuid, EventSourceMappingArn: arn } = created;
    expect(created.State).toBe("Creating");
    await reaches(uuid, {
      State: "Enabled",
      StateTransitionReason: "USER_INITIATED",
      LastProcessingResult: "No records processed",
    });
    await deliver(uuid, 40);
    await reaches(uuid, { State: "Enabled", LastProcessingResult: "OK" });
    const { EventSourceMappings: listed } = await aws("list-event-source-mappings");
    expect(listed).toMatchObject([{ UUID: uuid, State: "Enabled" }]);

    const update = (...args: string[]) =>
      aws("update-event-source-mapping", "--uuid", uuid, ...args);
    expect(await update("--batch-size", "7", "--provisioned-poller-config", "{}")).toMatchObject({
      State: "Updating",
      BatchSize: 7,
    });
    const onDemand = await reaches(uuid, { State: "Enabled", BatchSize: 7 });
    expect(onDemand).not.toHaveProperty("ProvisionedPollerConfig");

    await aws("tag-resource", "--resource", arn, "--tags", "team=orders");
    expect(await aws("list-tags", "--resource", arn)).toEqual({ Tags: { team: "orders" } });

    await update("--no-enabled");
    await reaches(uuid, { State: "Disabled" });
    await world.writer.sendKeyed(world.topic, 40, PARTITIONS);
    await update("--enabled");
    await reaches(uuid, { State: "Enabled" });
    await deliver(uuid, 40);
    world.check();

    expect((await aws("delete-event-source-mapping", "--uuid", uuid)).State).toBe("Deleting");
    await waitUntil("the mapping is gone", async () => {
      const { error } = await clients.boto3("get_event_source_mapping", { UUID: uuid });
      return error?.type === "ResourceNotFoundException";
    });
    hasFailed = false;
  }, 300_000);
});
