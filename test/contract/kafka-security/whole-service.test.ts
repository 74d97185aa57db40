/** A mapping on secured brokers through the whole of Penstock: references in, records out, and every obstacle in between named and mended. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mapping } from "@penstock/proto";
import { type Flow, plantedSecret, waitUntil } from "@penstock/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SETUP_MS, sharedWorld } from "../../shared-world.ts";
import { PLAIN_PASSWORD, SCRAM_PASSWORD, SecuredWorld } from "./secured-world.ts";

const { SASL_SCRAM_512_AUTH, BASIC_AUTH, SERVER_ROOT_CA_CERTIFICATE } = mapping.SourceAccessType;
type Access = { readonly type: mapping.SourceAccessType; readonly uri: string };

const secrets = mkdtempSync(join(tmpdir(), "penstock-secrets-"));
let secured: SecuredWorld;
const shared = sharedWorld(async () => {
  secured = await SecuredWorld.start();
  return {
    kafka: secured.kafka.bootstrapServers,
    isStandalone: true,
    env: { PENSTOCK_SECRETS_DIR: secrets },
  };
});
afterAll(async () => {
  await secured.stop();
  rmSync(secrets, { recursive: true, force: true });
});

/** A secret with a policy that lets it go to the secured broker. */
function put(name: string, secret: object, brokers = ["127.0.0.1:*"]): void {
  writeFileSync(join(secrets, `${name}.policy.yaml`), `brokers: ${JSON.stringify(brokers)}\n`);
  writeFileSync(join(secrets, name), JSON.stringify(secret));
}

const root: Access = { type: SERVER_ROOT_CA_CERTIFICATE, uri: "file:root" };
const login = (type: mapping.SourceAccessType, name: string): Access => ({
  type,
  uri: `file:${name}`,
});

async function createMapping(flow: Flow, access: readonly Access[]): Promise<void> {
  const { eventSourceMapping } = await flow.world.mappings.createEventSourceMapping({
    functionName: flow.name,
    topics: [flow.topic],
    selfManagedEventSource: { endpoints: { kafkaBootstrapServers: [secured.at("SASL_TLS")] } },
    sourceAccessConfigurations: [...access],
    startingPosition: mapping.StartingPosition.TRIM_HORIZON,
  });
  flow.mappingId = eventSourceMapping?.uuid ?? "";
}

/** Waits until the mapping's problem has this code; its message. */
function shows(flow: Flow, code: string): Promise<string> {
  return waitUntil(
    `the mapping shows ${code}`,
    async () => {
      const { problem } = await flow.get();
      return problem?.code === code ? problem.message : null;
    },
    90_000,
  );
}

const isWell = (flow: Flow) =>
  waitUntil("no problem is left", async () => (await flow.get()).problem === undefined, 90_000);

const rules = (user: "plain-user" | "scram-user", flow: Flow) =>
  secured.rules(user, { topic: flow.topic, groupId: flow.mappingId });

describe("a mapping on secured brokers", () => {
  beforeAll(() => put("root", { certificate: secured.authority.certificate }));

  it(
    "F18: says what is wrong at each step, and runs in the end without being made again",
    async () => {
      await shared.flow({ mapping: null }, async (flow) => {
        put("login", {});
        rmSync(join(secrets, "login"));
        await createMapping(flow, [login(SASL_SCRAM_512_AUTH, "login"), root]);
        await shows(flow, "secretMissing");
        put("login", { username: "scram-user", password: plantedSecret("kafka-wrong-password") });
        expect(await shows(flow, "kafkaAuthentication")).toContain("SCRAM-SHA-512");
        put("login", { username: "scram-user", password: SCRAM_PASSWORD });
        expect(await shows(flow, "kafkaAuthorization")).toContain("Read on the topic");

        const [ofTopic, ofGroup] = rules("scram-user", flow);
        await secured.acls.allow(ofTopic);
        await waitUntil(
          "the group is missed",
          async () => (await flow.get()).problem?.message.includes("Read on the consumer group"),
          90_000,
        );
        await secured.acls.allow(ofGroup);
        await flow.send(30);
        await flow.delivered(30);
        await isWell(flow);
      });
    },
    SETUP_MS,
  );

  it(
    "F18, F19: another secret and another root by an update, while it runs",
    async () => {
      await shared.flow({ mapping: null }, async (flow) => {
        put("scram", { username: "scram-user", password: SCRAM_PASSWORD });
        put("plain", { username: "plain-user", password: PLAIN_PASSWORD });
        put("foreign-root", { certificate: secured.clientCertificate.certificate });
        await createMapping(flow, [login(SASL_SCRAM_512_AUTH, "scram"), root]);
        await secured.acls.allow(...rules("scram-user", flow), ...rules("plain-user", flow));
        await flow.send(20);
        await flow.delivered(20);
        await isWell(flow);

        const update = (...access: Access[]) =>
          waitUntil("the update is taken", () =>
            flow.world.mappings.updateEventSourceMapping({
              uuid: flow.mappingId,
              sourceAccessConfigurations: access,
            }),
          );
        await update(login(BASIC_AUTH, "plain"), { ...root, uri: "file:foreign-root" });
        expect(await shows(flow, "kafkaTls")).toContain("trusted authority");
        await update(login(BASIC_AUTH, "plain"), root);
        await flow.send(20);
        await flow.delivered(40);
        await isWell(flow);
      });
    },
    SETUP_MS,
  );
});
