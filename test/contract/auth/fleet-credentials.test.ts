// Node credentials in a whole fleet over TLS: who may join as what, rotation while it runs, and nobody else's node.

import { once } from "node:events";
import { createSecureServer, type Http2SecureServer } from "node:http2";
import { Agent, request } from "node:https";
import type { AddressInfo } from "node:net";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { fleet } from "@penstock/proto";
import { createTestAuthority, waitUntil } from "@penstock/testkit";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type AuthWorld, bearer, startAuthWorld, testCredentials } from "./auth-world.ts";

const BOUND_ID = "0f8b7b0e-3c1d-4c0a-8d4e-9a5f6b7c8d9e";

let world: AuthWorld;
let ca: string;
/** What pollers have shown to an invoker that was broken into. */
const shown = new Set<string>();
let rogue: Http2SecureServer;

beforeAll(async () => {
  const authority = await createTestAuthority();
  ca = authority.certificate;
  const { certificate, privateKey } = await authority.issue(["127.0.0.1", "localhost"]);
  rogue = createSecureServer({ cert: certificate, key: privateKey }).listen(0, "127.0.0.1");
  rogue.on("stream", (stream, { authorization }) => {
    shown.add(authorization ?? "");
    stream.on("error", () => {});
    stream.respond({ ":status": 503 }, { endStream: true });
  });
  await once(rogue, "listening");
  const credentials = testCredentials();
  const calls = credentials.put("poller-calls", "roles: [node], service: poller");
  credentials.put("bound", `roles: [node], service: poller, node_id: ${BOUND_ID}`);
  credentials.put("thief", "roles: [node], service: poller");
  credentials.put("far", "roles: [node], service: poller, hosts: [192.0.2.1]");
  credentials.write();
  world = await startAuthWorld(inject("POSTGRES"), credentials, {
    PENSTOCK_TLS_CERTIFICATE_FILE: credentials.file("server.pem", certificate),
    PENSTOCK_TLS_KEY_FILE: credentials.file("server.key", privateKey),
    PENSTOCK_TLS_CA_FILE: credentials.file("ca.pem", ca),
    PENSTOCK_INVOKER_TOKEN_FILE: credentials.file("calls.token", calls),
  });
}, 120_000);
afterAll(async () => {
  await world.stop();
  rogue.close();
});

/** Text of a path of an HTTP port, by the admin. */
function get(service: "mapping" | "poller" | "invoker", path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(`https://${world[service].http}${path}`, {
      ca,
      agent: new Agent(),
      headers: { authorization: `Bearer ${world.credentials.token("admin")}` },
    });
    sent.on("response", async (response) => {
      let text = "";
      for await (const chunk of response.setEncoding("utf8")) text += chunk;
      resolve(text);
    });
    sent.on("error", reject);
    sent.end();
  });
}

const tls = () => ({ ca, certificate: null, key: null });

interface Hello {
  readonly nodeId?: string;
  readonly kind?: fleet.NodeKind;
  readonly address?: string;
}

/** Joins and stays until told; `ended` says how that ended, null: by itself. */
async function join(token: string, hello: Hello = {}) {
  const transport = world.transport(world.mapping.grpc, bearer(token, tls));
  const client = createClient(fleet.FleetService, transport);
  const abort = new AbortController();
  const welcomed = Promise.withResolvers<boolean>();
  const assigned = Promise.withResolvers<boolean>();
  const message = {
    case: "hello" as const,
    value: create(fleet.HelloSchema, {
      nodeId: hello.nodeId ?? crypto.randomUUID(),
      kind: hello.kind ?? fleet.NodeKind.POLLER,
      address: hello.address ?? "127.0.0.1:9",
      version: "test",
    }),
  };
  const requests = async function* () {
    yield create(fleet.JoinRequestSchema, { message });
    await new Promise((resolve) => abort.signal.addEventListener("abort", resolve));
  };
  const run = async (): Promise<ConnectError | null> => {
    try {
      for await (const answer of client.join(requests(), { signal: abort.signal })) {
        if (answer.message.case === "welcome") welcomed.resolve(true);
        if (answer.message.case === "assignments") assigned.resolve(true);
      }
      return null;
    } catch (error) {
      return ConnectError.from(error);
    } finally {
      welcomed.resolve(false);
      assigned.resolve(false);
    }
  };
  const ended = run();
  return {
    isWelcome: await welcomed.promise,
    /** Once its node is claimed. */
    isAssigned: assigned.promise,
    ended,
    leave: async () => {
      abort.abort();
      await ended;
    },
  };
}

describe("a fleet with node credentials, over TLS", () => {
  it("S-10, S-21: poller and invoker join, and the poller streams to the invoker", async () => {
    await waitUntil("the invoker has the poller's stream", async () =>
      /penstock_streams\{[^}]*kind="invoke"[^}]*\} 1/.test(await get("invoker", "/metrics")),
    );
    await waitUntil("the poller has a stream", async () =>
      /penstock_streams\{[^}]*state="open"[^}]*\} 1/.test(await get("poller", "/metrics")),
    );
  });

  it("S-10: a credential is for one service", async () => {
    const { credentials } = world;
    const one = await join(credentials.token("poller"), { kind: fleet.NodeKind.INVOKER });
    expect(one.isWelcome).toBe(false);
    expect(await one.ended).toMatchObject({ code: Code.PermissionDenied });
    const client = createClient(
      fleet.FleetService,
      world.transport(world.mapping.grpc, bearer(credentials.token("invoker"), tls)),
    );
    await expect(client.getPositions({})).rejects.toMatchObject({ code: Code.PermissionDenied });
  });

  it("S-10: a credential that is bound to a node is for that node alone", async () => {
    const token = world.credentials.token("bound");
    const other = await join(token);
    expect(await other.ended).toMatchObject({
      code: Code.PermissionDenied,
      rawMessage: `The credential bound is for the node ${BOUND_ID} (PENSTOCK_NODE_ID).`,
    });
    const own = await join(token, { nodeId: BOUND_ID.toUpperCase() });
    expect(own.isWelcome).toBe(true);
    await own.leave();
  });

  it("S-10: a node is where it calls from, or where its credential says, so that nobody's token is sent elsewhere", async () => {
    const { credentials } = world;
    const foreign = await join(credentials.token("poller"), { address: "192.0.2.1:7401" });
    expect(foreign.isWelcome).toBe(false);
    expect(await foreign.ended).toMatchObject({
      code: Code.PermissionDenied,
      rawMessage: expect.stringContaining("set PENSTOCK_ADVERTISED_HOST"),
    });
    const listed = await join(credentials.token("far"), { address: "192.0.2.1:7401" });
    expect(listed.isWelcome).toBe(true);
    await listed.leave();
    const none = await join(credentials.token("poller"), { address: "256.1.1.1:7401" });
    expect(await none.ended).toMatchObject({ code: Code.InvalidArgument });
  });

  it("S-10: an invoker sees the token for invokers, and not the one that pollers join with", async () => {
    const { credentials } = world;
    const { port } = rogue.address() as AddressInfo;
    const kind = fleet.NodeKind.INVOKER;
    const address = `127.0.0.1:${port}`;
    const member = await join(credentials.token("invoker"), { kind, address });
    await waitUntil("the poller comes to it", () => shown.size > 0);
    await member.leave();
    expect([...shown]).toEqual([`Bearer ${credentials.token("poller-calls")}`]);
  });

  it("S-10: nobody takes over a node that has joined with another credential, not even after it is gone", async () => {
    const nodeId = crypto.randomUUID();
    const owner = await join(world.credentials.token("poller"), { nodeId });
    expect(await owner.isAssigned).toBe(true);
    const denial = {
      code: Code.PermissionDenied,
      rawMessage: `The node ${nodeId} has joined with another credential.`,
    };
    const thief = await join(world.credentials.token("thief"), { nodeId });
    expect(thief.isWelcome).toBe(false);
    expect(await thief.ended).toMatchObject(denial);
    await owner.leave();
    // Its stream is gone, its row is not: the claim is refused.
    const later = await join(world.credentials.token("thief"), { nodeId });
    expect(await later.ended).toMatchObject(denial);
    expect(await later.isAssigned).toBe(false);
    const again = await join(world.credentials.token("poller"), { nodeId });
    expect(await again.isAssigned).toBe(true);
    await again.leave();
  });

  it("S-10: a token is rotated while the fleet runs: two are good, then the new one", async () => {
    const { credentials } = world;
    const old = credentials.token("poller");
    const next = credentials.put("poller", "roles: [node], service: poller");
    credentials.file("poller.token", next);
    credentials.write();
    await waitUntil("the old one is refused", async () => {
      const end = await join(old).then((joined) => joined.leave().then(() => joined.ended));
      return end?.code === Code.Unauthenticated;
    });
    const joined = await join(next);
    expect(joined.isWelcome).toBe(true);
    await joined.leave();
  });
});
