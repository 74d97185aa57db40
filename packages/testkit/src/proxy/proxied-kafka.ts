import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  freePort,
  type KafkaVersion,
  type LocalKafka,
  SHORT_CLASSIC_SESSIONS,
  startKafka,
} from "@penstock/local";
import { FaultProxy } from "./fault-proxy.ts";
import { inspectKafka, type OnAnswer } from "./kafka-frames.ts";

/**
 * A Kafka of its own with two listeners: one that says its own port, for the test's writer and administrator, and one that says the
 * port of a fault proxy, for Penstock.
 */
export class ProxiedKafka {
  readonly kafka: LocalKafka;
  readonly proxy: FaultProxy;
  /** Sees each answer to a client behind the proxy; the identity unless a test sets it. */
  onAnswer: OnAnswer = (_request, frame) => frame;
  readonly #folder: string;

  private constructor(kafka: LocalKafka, target: number, proxyPort: number, folder: string) {
    this.kafka = kafka;
    this.#folder = folder;
    this.proxy = new FaultProxy({
      target,
      port: proxyPort,
      inspect: () => inspectKafka((request, frame) => this.onAnswer(request, frame)),
    });
  }

  static async start(options: { version?: KafkaVersion } = {}): Promise<ProxiedKafka> {
    const folder = mkdtempSync(join(tmpdir(), "penstock-proxied-"));
    const port = await freePort();
    const behind = await freePort();
    const controllerPort = await freePort();
    const proxyPort = await freePort();
    const kafka = await startKafka({
      ...options,
      dataDir: folder,
      port,
      controllerPort,
      heapMb: 192,
      extraProperties: {
        ...SHORT_CLASSIC_SESSIONS,
        listeners: `PLAINTEXT://127.0.0.1:${port},PROXIED://127.0.0.1:${behind},CONTROLLER://127.0.0.1:${controllerPort}`,
        "advertised.listeners": `PLAINTEXT://127.0.0.1:${port},PROXIED://127.0.0.1:${proxyPort}`,
        "listener.security.protocol.map":
          "PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
      },
    });
    const self = new ProxiedKafka(kafka, behind, proxyPort, folder);
    await self.proxy.listen();
    return self;
  }

  /** For the test itself: straight to the broker. */
  get direct(): string {
    return this.kafka.bootstrapServers;
  }

  /** For Penstock: through the proxy. */
  get proxied(): string {
    return `127.0.0.1:${this.proxy.port}`;
  }

  /** Everything as it should be. */
  heal(): void {
    this.onAnswer = (_request, frame) => frame;
    this.proxy.heal();
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    await this.kafka.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
