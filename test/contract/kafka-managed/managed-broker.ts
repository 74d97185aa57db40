/**
 * A broker as a managed service shows it: clients know it by a bootstrap name, it advertises another one, and between both sides is a network that
 * forgets connections. Its operator comes in by a listener of his own.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AddressGuard,
  createProducer,
  type KafkaProducer,
  type RecordSourceDriverOptions,
} from "@penstock/kafka";
import { freePort, type LocalKafka, startKafka } from "@penstock/local";
import { FaultProxy, type Inspector } from "@penstock/testkit";
import { GroupWorld } from "../../record-source/group-world.ts";

export const BOOTSTRAP = "kafka.managed.test";
const ADVERTISED = "broker-1.managed.test";

interface Flow {
  isForgotten: boolean;
}

export class ManagedBroker {
  readonly kafka: LocalKafka;
  readonly proxy: FaultProxy;
  readonly producer: KafkaProducer;
  /** The operator's. */
  readonly world: GroupWorld;
  /** API keys of all requests of clients, in order. */
  readonly requests: number[] = [];
  readonly #flows = new Set<Flow>();
  readonly #folder: string;

  private constructor(
    kafka: LocalKafka,
    ports: { target: number; proxy: number },
    producer: KafkaProducer,
    folder: string,
  ) {
    this.kafka = kafka;
    this.producer = producer;
    this.#folder = folder;
    this.world = new GroupWorld(kafka.bootstrapServers);
    this.proxy = new FaultProxy({
      target: ports.target,
      port: ports.proxy,
      inspect: () => this.#inspect(),
    });
  }

  static async start(
    extraProperties: Readonly<Record<string, string | number | boolean>>,
  ): Promise<ManagedBroker> {
    const folder = mkdtempSync(join(tmpdir(), "penstock-managed-"));
    const [port, behind, controllerPort, proxy] = [
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
    ];
    const kafka = await startKafka({
      dataDir: folder,
      port,
      controllerPort,
      extraProperties: {
        listeners: `PLAINTEXT://127.0.0.1:${port},CLIENTS://127.0.0.1:${behind},CONTROLLER://127.0.0.1:${controllerPort}`,
        "advertised.listeners": `PLAINTEXT://127.0.0.1:${port},CLIENTS://${ADVERTISED}:${proxy}`,
        "listener.security.protocol.map":
          "PLAINTEXT:PLAINTEXT,CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        ...extraProperties,
      },
    });
    const producer = await createProducer({ bootstrapServers: [kafka.bootstrapServers] });
    const managed = new ManagedBroker(kafka, { target: behind, proxy }, producer, folder);
    await managed.proxy.listen();
    return managed;
  }

  /** As clients know it. */
  get bootstrapServers(): string {
    return `${BOOTSTRAP}:${this.proxy.port}`;
  }

  /** A world of clients. What they log is kept in `said`. */
  clients(said: string[] = [], options: Partial<RecordSourceDriverOptions> = {}): GroupWorld {
    const note = (level: string) => (message: string, fields?: object) =>
      void said.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
    return new GroupWorld(this.bootstrapServers, {
      addressGuard: byName,
      log: { debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") },
      ...options,
    });
  }

  async produce(topic: string, count: number, bytes = 10): Promise<void> {
    const value = "v".repeat(bytes);
    const records = Array.from({ length: count }, () => ({ partition: 0, value }));
    await this.producer.send(topic, records);
  }

  /** From now on nothing of the present connections arrives, on either side; nobody is told. New ones are well. */
  forgetConnections(): number {
    for (const flow of this.#flows) flow.isForgotten = true;
    return this.#flows.size;
  }

  async stop(): Promise<void> {
    await this.producer.close();
    await this.world.close();
    await this.proxy.stop();
    await this.kafka.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #inspect(): Inspector {
    const flow: Flow = { isForgotten: false };
    this.#flows.add(flow);
    return {
      toServer: (piece) => {
        // Small requests come in one piece; of larger ones the first counts.
        if (piece.length >= 8) this.requests.push(piece.readInt16BE(4));
        return flow.isForgotten ? null : piece;
      },
      toClient: (piece) => (flow.isForgotten ? null : piece),
    };
  }
}

/** The name service of these clients. */
export const byName: AddressGuard = async (host) => {
  if (host === BOOTSTRAP || host === ADVERTISED) return { address: "127.0.0.1", family: 4 };
  throw Object.assign(new Error("no such name"), { code: "ENOTFOUND" });
};
