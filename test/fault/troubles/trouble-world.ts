import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecurityAdmin, type KafkaSecurityAdmin } from "@penstock/kafka";
import { type LocalKafka, startKafka } from "@penstock/local";
import { createTestAuthority, plantedSecret, type TestAuthority } from "@penstock/testkit";
import { versionUnderTest } from "../../kafka-under-test.ts";

export const USER = "trouble-user";
/** A listener that shows a certificate for somebody else. */
export const WRONG_NAME = "WRONG_NAME";

/** A secured broker, a folder of secrets and a name service, all of which a test puts wrong and right again while Penstock runs. */
export class TroubleWorld {
  readonly kafka: LocalKafka;
  readonly acls: KafkaSecurityAdmin;
  readonly authority: TestAuthority;
  readonly password = plantedSecret("trouble-password");
  readonly #folder: string;

  private constructor(kafka: LocalKafka, authority: TestAuthority, folder: string) {
    this.kafka = kafka;
    this.authority = authority;
    this.#folder = folder;
    this.acls = createSecurityAdmin({ bootstrapServers: [kafka.bootstrapServers] });
  }

  static async start(): Promise<TroubleWorld> {
    const authority = await createTestAuthority();
    const folder = mkdtempSync(join(tmpdir(), "penstock-troubles-"));
    mkdirSync(join(folder, "secrets"));
    writeFileSync(join(folder, "names"), "");
    const kafka = await startKafka({
      version: versionUnderTest(),
      dataDir: join(folder, "kafka"),
      heapMb: 192,
      extraProperties: { "ssl.allow.dn.changes": true, "ssl.allow.san.changes": true },
      security: {
        identity: await authority.issue(["localhost", "127.0.0.1"]),
        clientAuthority: authority.certificate,
        plainUsers: { [USER]: plantedSecret("trouble-password") },
        moreListeners: { [WRONG_NAME]: await authority.issue(["elsewhere.example"]) },
      },
    });
    const world = new TroubleWorld(kafka, authority, folder);
    world.secret("ca", { certificate: authority.certificate });
    world.secret("login", { username: USER, password: world.password });
    return world;
  }

  /** For every service of Penstock. */
  get env(): Record<string, string> {
    return {
      PENSTOCK_SECRETS_DIR: join(this.#folder, "secrets"),
      PENSTOCK_SECRETS_WITHOUT_POLICY: "true",
      TEST_NAMES_FILE: join(this.#folder, "names"),
      NODE_OPTIONS: `--import=${new URL("./name-service.ts", import.meta.url).href}`,
    };
  }

  /** Writes a secret, or another content into it; returns its reference. */
  secret(name: string, content: object | string): string {
    this.#write(name, typeof content === "string" ? content : JSON.stringify(content));
    return `file:${name}`;
  }

  /** The brokers that may have the secret. */
  policy(name: string, brokers: readonly string[]): void {
    this.#write(`${name}.policy.yaml`, `brokers: ${JSON.stringify(brokers)}\n`);
  }

  /** From now on the name is known. */
  know(host: string): void {
    appendFileSync(join(this.#folder, "names"), `${host}\n`);
  }

  /** The listener shows a good certificate from now on. */
  async mendCertificate(): Promise<void> {
    const identity = await this.authority.issue(["localhost", "127.0.0.1"]);
    const file = this.kafka.writeIdentity(identity);
    const setting = `listener.name.${WRONG_NAME.toLowerCase()}.ssl.keystore.location`;
    await this.acls.setBrokerConfig(1, setting, file);
  }

  async stop(): Promise<void> {
    await this.acls.close();
    await this.kafka.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #write(name: string, text: string): void {
    const path = join(this.#folder, "secrets", name);
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }
}
