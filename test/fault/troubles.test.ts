import { timestampMs } from "@bufbuild/protobuf/wkt";
import { freePort } from "@penstock/local";
import { mapping } from "@penstock/proto";
import { FaultProxy, type Flow, TestFunction, waitUntil } from "@penstock/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SETUP_MS, sharedWorld } from "../shared-world.ts";
import { TroubleWorld, USER, WRONG_NAME } from "./troubles/trouble-world.ts";

const { BASIC_AUTH, SERVER_ROOT_CA_CERTIFICATE } = mapping.SourceAccessType;
const { ENABLED } = mapping.MappingState;
/** From the trouble to the problem that is shown for it. */
const SHOWN_MS_MAX = 30_000;
/** Until the test has read it, which a busy machine delays. */
const SAID_MS = 45_000;

type Access = { type: mapping.SourceAccessType; uri: string }[];

/** What is wrong, what has to be said, and what puts it right. */
interface Trouble {
  /** Default: the plaintext listener. */
  readonly at?: () => string | Promise<string>;
  readonly access?: (name: string) => Access;
  /** Default: the flow's topic exists. */
  readonly hasTopic?: boolean;
  /** Default: what the user needs to read. */
  readonly acls?: readonly ("topic" | "group")[];
  readonly before?: (flow: Flow) => Promise<void> | void;
  /** Once the mapping was created. */
  readonly after?: (flow: Flow) => Promise<void> | void;
  readonly code: string;
  readonly aws: string;
  readonly reason: string;
  /** What the message names. */
  readonly says: RegExp;
  readonly fix: (flow: Flow) => Promise<unknown> | unknown;
}

const CONFIG = "ESM_CONFIG_NOT_VALID";
const AUTHENTICATION = "EVENT_SOURCE_AUTHN_ERROR";
const AUTHORIZATION = "EVENT_SOURCE_AUTHZ_ERROR";
const CONNECTION = "Connection error. Please check your event source connection configuration";

// F18, F19, F40 → L-2, L-4. Goal: a mapping in trouble says exactly what is wrong within 30 s, and runs after the fix without being created again.
// Method: one broker with every listener, one Penstock, and for each trouble a mapping of its own, all at once.
describe.concurrent("a mapping in trouble", { timeout: SETUP_MS }, () => {
  let place: TroubleWorld;
  // Registered before the world's hooks, so that the broker outlives the world.
  beforeAll(async () => {
    place = await TroubleWorld.start();
  }, SETUP_MS);
  afterAll(() => place.stop(), SETUP_MS);
  const shared = sharedWorld(async () => ({
    kafka: place.kafka.bootstrapServers,
    env: place.env,
  }));

  const saslTls = () => place.kafka.listener("SASL_TLS");
  const login = (uri = "file:login"): Access => [
    { type: BASIC_AUTH, uri },
    { type: SERVER_ROOT_CA_CERTIFICATE, uri: "file:ca" },
  ];
  const allow = (flow: Flow, ...resources: readonly ("topic" | "group")[]) =>
    place.acls.allow(
      ...resources.map((resource) => ({
        ...{ principal: `User:${USER}`, operation: "Read" as const, resource },
        name: flow.topic,
      })),
    );
  /** As soon as it may be changed: an operator's problem ends CREATING early. */
  const update = async (flow: Flow, access: Access) => {
    await flow.world.waitForState(flow.mappingId, ENABLED, SAID_MS);
    await flow.world.mappings.updateEventSourceMapping({
      uuid: flow.mappingId,
      sourceAccessConfigurations: access,
      updateMask: { paths: ["source_access_configurations"] },
    });
  };

  async function create(flow: Flow, { at, access }: Trouble): Promise<void> {
    const bootstrap = at === undefined ? place.kafka.bootstrapServers : await at();
    const { eventSourceMapping } = await shared.world.mappings.createEventSourceMapping({
      functionName: flow.name,
      topics: [flow.topic],
      selfManagedEventSource: { endpoints: { kafkaBootstrapServers: [bootstrap] } },
      selfManagedKafkaEventSourceConfig: { consumerGroupId: flow.topic },
      sourceAccessConfigurations: access?.(flow.name) ?? [],
      maximumBatchingWindow: { seconds: 0n },
    });
    flow.mappingId = eventSourceMapping?.uuid ?? "";
  }

  /** @param beganMs when the trouble began, if that was after the mapping was created */
  async function said(flow: Flow, trouble: Trouble, beganMs = 0): Promise<void> {
    const found = await waitUntil(
      `${flow.mappingId} says ${trouble.code}`,
      async () => {
        const now = await flow.get();
        const { code } = now.problem ?? {};
        return code === trouble.code ? now : Promise.reject(new Error(describeProblem(now)));
      },
      SAID_MS,
    );
    const { problem, createTime } = found;
    const sinceMs = problem?.since === undefined ? Number.NaN : timestampMs(problem.since);
    const createdMs = createTime === undefined ? Number.NaN : timestampMs(createTime);
    const shownMs = sinceMs - Math.max(createdMs, beganMs);
    expect(shownMs).toBeLessThanOrEqual(SHOWN_MS_MAX);
    expect(found.problem?.message).toMatch(trouble.says);
    expect(found.problem?.awsCode).toBe(trouble.reason === "USER_INITIATED" ? "" : trouble.reason);
    expect(found.stateTransitionReason).toBe(trouble.reason);
    expect(found.lastProcessingResult).toContain(`PROBLEM: ${trouble.aws}. `);
  }

  async function healed(flow: Flow): Promise<void> {
    await waitUntil(
      "it runs after the fix",
      async () => {
        const now = await flow.get();
        if (now.problem === undefined && now.stateTransitionReason === "USER_INITIATED")
          return true;
        throw new Error(describeProblem(now));
      },
      90_000,
    );
    await waitUntil("the result is good again", async () => {
      return (await flow.get()).lastProcessingResult === "OK";
    });
    const kinds = await kindsOf(flow);
    expect(kinds).toContain("problem");
    expect(kinds).toContain("healed");
  }

  const troubles: Record<string, Trouble> = {
    "wrong host": {
      at: () => `wrong.penstock.test:${place.kafka.port}`,
      ...{ code: "kafkaHostUnknown", aws: CONNECTION, reason: CONFIG, says: /host/ },
      fix: () => place.know("wrong.penstock.test"),
    },
    "no such topic": {
      hasTopic: false,
      ...{ code: "kafkaTopicMissing", aws: "Topic not found", reason: CONFIG },
      says: /flow-.*|topic/,
      fix: (flow) => shared.world.admin.createTopic(flow.topic, { partitions: 1 }),
    },
    "unknown function": {
      after: async (flow) => {
        await shared.world.functions.deleteFunction({ name: flow.name });
      },
      ...{ code: "functionMissing", aws: "Function does not exist" },
      ...{ reason: "FUNCTION_CONFIG_NOT_VALID", says: /registry/ },
      fix: (flow) => flow.putFunction(),
    },
    "TLS on plaintext": {
      access: () => login(),
      ...{ code: "kafkaProtocolMismatch", aws: CONNECTION, reason: CONFIG, says: /TLS/ },
      fix: (flow) => update(flow, []),
    },
    "plaintext on TLS": {
      at: saslTls,
      ...{ code: "kafkaProtocolMismatch", aws: CONNECTION, reason: CONFIG, says: /TLS/ },
      fix: (flow) => update(flow, login()),
    },
    "bad password": {
      at: saslTls,
      access: (name) => login(place.secret(name, { username: USER, password: "not-it" })),
      ...{ code: "kafkaAuthentication", aws: "SASL authentication failed" },
      ...{ reason: AUTHENTICATION, says: /credentials|password/ },
      fix: (flow) => place.secret(flow.name, { username: USER, password: place.password }),
    },
    "unknown authority": {
      at: saslTls,
      access: () => [{ type: BASIC_AUTH, uri: "file:login" }],
      ...{ code: "kafkaTls", aws: "Lambda failed to authenticate server" },
      ...{ reason: AUTHENTICATION, says: /certificate|authority/i },
      fix: (flow) => update(flow, login()),
    },
    "certificate for another name": {
      at: () => place.kafka.listener(WRONG_NAME),
      access: () => login(),
      ...{ code: "kafkaTls", aws: "Lambda failed to authenticate server" },
      ...{ reason: AUTHENTICATION, says: /name|certificate/i },
      fix: () => place.mendCertificate(),
    },
    "no ACL on the topic": {
      at: saslTls,
      access: () => login(),
      acls: ["group"],
      ...{ code: "kafkaAuthorization", aws: "Cluster failed to authorize Lambda" },
      ...{ reason: AUTHORIZATION, says: /Read on the topic/ },
      fix: (flow) => allow(flow, "topic"),
    },
    "no ACL on the group": {
      at: saslTls,
      access: () => login(),
      acls: ["topic"],
      ...{ code: "kafkaAuthorization", aws: "Cluster failed to authorize Lambda" },
      ...{ reason: AUTHORIZATION, says: /Read on the consumer group/ },
      fix: (flow) => allow(flow, "group"),
    },
    "secret missing": {
      at: saslTls,
      access: (name) => login(`file:${name}`),
      ...{
        code: "secretMissing",
        aws: "Secret not found",
        reason: AUTHENTICATION,
        says: /file:flow/,
      },
      fix: (flow) => place.secret(flow.name, { username: USER, password: place.password }),
    },
    "secret malformed": {
      at: saslTls,
      access: (name) => login(place.secret(name, "no JSON")),
      ...{ code: "secretMalformed", aws: "Provided certificate or private key is invalid" },
      ...{ reason: AUTHENTICATION, says: /file:flow/ },
      fix: (flow) => place.secret(flow.name, { username: USER, password: place.password }),
    },
    "secret not allowed there": {
      // The address that the cluster advertises is another one than the bootstrap server, and not in the policy.
      at: () => saslTls().replace("127.0.0.1", "localhost"),
      access: (name) => login(place.secret(name, { username: USER, password: place.password })),
      before: (flow) => place.policy(flow.name, ["localhost:*"]),
      ...{ code: "secretDenied", aws: "Secret access denied", reason: AUTHENTICATION },
      says: /policy/,
      fix: (flow) => place.policy(flow.name, ["localhost:*", "127.0.0.1:*"]),
    },
  };

  it.each(Object.entries(troubles))(
    "L-2, L-4: %s: says so within 30 s, and runs after the fix without being created again",
    async (_name, trouble) => {
      const options = { mapping: null };
      await shared.flow(options, async (flow) => {
        if (trouble.hasTopic === false) await shared.world.admin.deleteTopic(flow.topic);
        await allow(flow, ...(trouble.acls ?? ["topic", "group"]));
        await trouble.before?.(flow);
        await create(flow, trouble);
        await trouble.after?.(flow);
        await said(flow, trouble, trouble.after && Date.now());
        await trouble.fix(flow);
        if (trouble.hasTopic !== false) await flow.send(10);
        else {
          await waitUntil("the topic is there", () => flow.send(10).then(() => true));
        }
        await flow.delivered(10, 120_000);
        await healed(flow);
      });
    },
  );

  it("L-2: wrong port: says so within 30 s, and runs when the broker listens there", async () => {
    const port = await freePort();
    const proxy = new FaultProxy({ target: place.kafka.port, port });
    const trouble: Trouble = {
      at: () => `127.0.0.1:${port}`,
      ...{ code: "kafkaUnavailable", aws: CONNECTION, reason: CONFIG },
      says: /Nothing listens.*port/,
      fix: () => proxy.listen(),
    };
    try {
      await shared.flow({ mapping: null }, async (flow) => {
        await flow.send(10);
        await create(flow, trouble);
        await said(flow, trouble);
        await trouble.fix(flow);
        await flow.delivered(10, 120_000);
        await healed(flow);
      });
    } finally {
      await proxy.stop();
    }
  });

  it("F40, I-9: function unreachable: says so, uncharged, and runs when it is back", async () => {
    const away = await TestFunction.start();
    await away.stop();
    const { port } = away;
    const trouble: Trouble = {
      ...{ code: "functionFailing", aws: "Function call failed", reason: "USER_INITIATED" },
      says: /Function not reached.*No attempt is counted/s,
      fix: () => {},
    };
    await shared.flow({ mapping: null, url: `http://127.0.0.1:${port}/` }, async (flow) => {
      await flow.send(10);
      await create(flow, trouble);
      await said(flow, trouble);
      const back = await TestFunction.start(port);
      try {
        await waitUntil("all are delivered", () => back.deliveredCount() >= 10, 90_000);
        for (const { attempt } of back.deliveries) expect(attempt).toBe(1);
        await healed(flow);
      } finally {
        await back.stop();
      }
    });
  });

  it("I-17: with its brokers, topic, function and secret gone a mapping can be deleted to the end", async () => {
    const port = await freePort();
    await shared.flow({ mapping: null }, async (flow) => {
      await create(flow, {
        at: () => `127.0.0.1:${port}`,
        access: (name) => login(`file:${name}`),
        ...{ code: "", aws: "", reason: "", says: /./, fix: () => {} },
      });
      await shared.world.functions.deleteFunction({ name: flow.name });
      await shared.world.admin.deleteTopic(flow.topic);
      await waitUntil("it is in trouble", async () => (await flow.get()).problem !== undefined);
      // Closing the flow deletes the mapping and waits until it is gone.
    });
  });

  async function kindsOf(flow: Flow): Promise<string[]> {
    const { events } = await shared.world.mappings.listEventSourceMappingEvents({
      uuid: flow.mappingId,
    });
    return events.map(({ kind }) => kind);
  }
});

function describeProblem({ problem, stateTransitionReason, state }: mapping.EventSourceMapping) {
  return `state ${state} ${stateTransitionReason}: ${problem?.code} ${problem?.message}`;
}
