/**
 * A real broker with every listener, a private authority, users of every mechanism, and clients that are ended with it.
 *
 * Every secret holds the canary; whatever clients log or report is kept, to be searched for it.
 */
import { randomUUID, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type PeerCertificate } from "node:tls";
import type { SaslCredentials, SourceSecurity } from "@penstock/core";
import {
  type AclRule,
  createAdmin,
  createProducer,
  createRecordSourceDriver,
  createSecurityAdmin,
  type KafkaAdmin,
  type KafkaAdminOptions,
  type KafkaLog,
  type KafkaProducer,
  type KafkaSecurityAdmin,
} from "@penstock/kafka";
import { type LocalKafka, startKafka } from "@penstock/local";
import {
  createTestAuthority,
  type IssuedCertificate,
  plantedSecret,
  type TestAuthority,
  waitUntil,
} from "@penstock/testkit";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { Probe } from "../../record-source/probe.ts";
import { bearer, password, TestSecurity, trust } from "./test-security.ts";

export const PLAIN_PASSWORD = plantedSecret("kafka-plain-password");
export const SCRAM_PASSWORD = `${plantedSecret("kafka-scram-password")}, =ü`;
const AUDIENCE = "penstock-test";
/** Of the listener SHORT_SESSIONS. */
export const SESSION_MS = 2_000;
const CLOCK = { nowMs: () => performance.now(), wallMs: () => Date.now() };

export type User = "plain-user" | "scram-user" | "token-user" | "tls-user";

export class SecuredWorld {
  readonly kafka: LocalKafka;
  readonly authority: TestAuthority;
  readonly clientCertificate: IssuedCertificate;
  /** By the plaintext listener, as super user. */
  readonly admin: KafkaAdmin;
  readonly acls: KafkaSecurityAdmin;
  readonly producer: KafkaProducer;
  /** Everything that clients said. */
  readonly said: string[] = [];
  readonly #token: (lifetimeS: number) => Promise<string>;
  readonly #folder: string;
  #ends: (() => Promise<unknown>)[] = [];

  private constructor(parts: {
    kafka: LocalKafka;
    authority: TestAuthority;
    clientCertificate: IssuedCertificate;
    producer: KafkaProducer;
    token: (lifetimeS: number) => Promise<string>;
    folder: string;
  }) {
    this.kafka = parts.kafka;
    this.authority = parts.authority;
    this.clientCertificate = parts.clientCertificate;
    this.producer = parts.producer;
    this.#token = parts.token;
    this.#folder = parts.folder;
    const bootstrapServers = [parts.kafka.bootstrapServers];
    this.admin = createAdmin({ bootstrapServers });
    this.acls = createSecurityAdmin({ bootstrapServers });
  }

  static async start(): Promise<SecuredWorld> {
    const authority = await createTestAuthority();
    const issuer = await tokenIssuer();
    const names = ["localhost", "127.0.0.1"];
    const folder = mkdtempSync(join(tmpdir(), "penstock-secured-"));
    const identity = await authority.issue(names);
    const kafka = await startKafka({
      dataDir: folder,
      security: {
        identity,
        clientAuthority: authority.certificate,
        plainUsers: { "plain-user": PLAIN_PASSWORD },
        tokens: { jwks: issuer.jwks, audience: AUDIENCE },
        moreListeners: {
          EXPIRED: await authority.issue(names, { isExpired: true }),
          WRONG_NAME: await authority.issue(["elsewhere.example"]),
          SHORT_SESSIONS: identity,
          ONLY_SCRAM: identity,
        },
      },
      extraProperties: {
        "listener.name.short_sessions.connections.max.reauth.ms": SESSION_MS,
        "listener.name.only_scram.sasl.enabled.mechanisms": "SCRAM-SHA-512",
      },
    });
    const producer = await createProducer({ bootstrapServers: [kafka.bootstrapServers] });
    const clientCertificate = await authority.issue(["tls-user"]);
    const { token } = issuer;
    const world = new SecuredWorld({
      kafka,
      authority,
      clientCertificate,
      producer,
      token,
      folder,
    });
    await world.acls.setScramPassword("scram-user", SCRAM_PASSWORD);
    return world;
  }

  async topic(partitions = 1): Promise<{ topic: string; groupId: string }> {
    const topic = `secured-${randomUUID().slice(0, 8)}`;
    await this.admin.createTopic(topic, { partitions });
    return { topic, groupId: `of-${topic}` };
  }

  /** Read on the topic and on the group: all that Penstock needs. */
  rules(user: User, { topic, groupId }: { topic: string; groupId: string }): [AclRule, AclRule] {
    const principal = `User:${user}`;
    return [
      { principal, operation: "Read", resource: "topic", name: topic },
      { principal, operation: "Read", resource: "group", name: groupId },
    ];
  }

  /** Security with TLS that trusts the world's authority. */
  security(sasl: SaslCredentials | null, identity: string = randomUUID()): TestSecurity {
    return new TestSecurity(identity, { tls: trust(this.authority.certificate), sasl });
  }

  plain(): TestSecurity {
    return this.security(password("PLAIN", "plain-user", PLAIN_PASSWORD));
  }

  scram(): TestSecurity {
    return this.security(password("SCRAM-SHA-512", "scram-user", SCRAM_PASSWORD));
  }

  mutualTls(certificate = this.clientCertificate): TestSecurity {
    const ca = this.authority.certificate;
    return new TestSecurity(randomUUID(), {
      tls: { ca, ...certificate, privateKeyPassword: null },
      sasl: null,
    });
  }

  token(lifetimeS = 3_600): Promise<string> {
    return this.#token(lifetimeS);
  }

  async bearer(lifetimeS?: number): Promise<TestSecurity> {
    return this.security(bearer(await this.token(lifetimeS)));
  }

  /** An administrator that comes in by a listener. */
  adminBy(listener: string, security: SourceSecurity | undefined): KafkaAdmin {
    return this.adminAt([this.at(listener)], security);
  }

  adminAt(
    bootstrapServers: readonly string[],
    security: SourceSecurity | undefined,
    apiVersionsMax: KafkaAdminOptions["apiVersionsMax"] = {},
  ): KafkaAdmin {
    const admin = createAdmin({
      bootstrapServers,
      log: this.#log(),
      apiVersionsMax,
      ...(security && { security }),
    });
    this.#ends.push(() => admin.close());
    return admin;
  }

  /** A record source that comes in by a listener, in a driver of its own. */
  source(
    listener: string,
    security: SourceSecurity,
    names: { topic: string; groupId: string },
    driver = this.driver(),
  ): Probe {
    const probe = new Probe(driver, {
      bootstrapServers: this.at(listener),
      ...names,
      security,
      fetches: true,
    });
    this.#ends.unshift(async () => {
      probe.source.abort();
      await probe.source.close();
      for (const { problem } of probe.of("problem")) this.said.push(String(problem?.stack));
    });
    return probe;
  }

  driver() {
    const driver = createRecordSourceDriver({
      clock: CLOCK,
      log: this.#log(),
      clientId: "penstock-secured",
    });
    this.#ends.push(() => driver.close());
    return driver;
  }

  at(listener: string): string {
    return listener === "PLAINTEXT" ? this.kafka.bootstrapServers : this.kafka.listener(listener);
  }

  async produce(topic: string, count: number, partition = 0): Promise<void> {
    const records = Array.from({ length: count }, (_, index) => ({
      partition,
      value: `value ${index}`,
    }));
    await this.producer.send(topic, records);
  }

  /** A listener shows another certificate to its next connections. */
  async show(listener: string, identity: IssuedCertificate): Promise<void> {
    const file = this.kafka.writeIdentity(identity);
    const setting = `listener.name.${listener.toLowerCase()}.ssl.keystore.location`;
    await this.acls.setBrokerConfig(1, setting, file);
    const { fingerprint256 } = new X509Certificate(identity.certificate);
    await waitUntil("it is shown", async () => {
      return (await shownBy(this.at(listener))).fingerprint256 === fingerprint256;
    });
  }

  /** Ends the clients of a case. */
  async endClients(): Promise<void> {
    const ends = this.#ends;
    this.#ends = [];
    for (const end of ends) await end();
  }

  async stop(): Promise<void> {
    await this.endClients();
    await Promise.all([this.admin.close(), this.acls.close(), this.producer.close()]);
    await this.kafka.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #log(): KafkaLog {
    const note = (message: string, fields?: object) =>
      this.said.push(`${message} ${JSON.stringify(fields ?? {})}`);
    return { debug: note, info: note, warn: note, error: note };
  }
}

async function tokenIssuer() {
  const { publicKey, privateKey } = await generateKeyPair("RS256");
  const key = { ...(await exportJWK(publicKey)), kid: "one", alg: "RS256", use: "sig" };
  return {
    jwks: { keys: [key] },
    token: (lifetimeS: number) =>
      new SignJWT({ sub: "token-user" })
        .setProtectedHeader({ alg: "RS256", kid: "one" })
        .setIssuedAt()
        .setAudience(AUDIENCE)
        .setExpirationTime(Math.floor(Date.now() / 1_000) + lifetimeS)
        .sign(privateKey),
  };
}

/** The certificate of a listener, whoever signed it. */
async function shownBy(server: string): Promise<PeerCertificate> {
  const [host = "", port] = server.split(":");
  const socket = connect({ host, port: Number(port), rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const certificate = socket.getPeerCertificate();
  socket.destroy();
  return certificate;
}

/** Offsets of everything that came of partition 0. */
export function offsetsOf(probe: Probe): bigint[] {
  return probe.of("records").flatMap(({ offsets }) => offsets);
}
