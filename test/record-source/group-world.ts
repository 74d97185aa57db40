/** What tests of record sources share: an administrator, a driver, topics and groups of their own, and an orderly end. */
import { randomUUID } from "node:crypto";
import type { RecordSourceDriver } from "@penstock/core";
import {
  createAdmin,
  createKafkajsRecordSourceDriver,
  createRecordSourceDriver,
  type KafkaAdmin,
  type KafkaLog,
  type RecordSourceDriverOptions,
} from "@penstock/kafka";
import { Probe, type ProbeOptions } from "./probe.ts";
import { Reader } from "./reader.ts";

/** Of members of classic groups; those of consumer groups have what the local brokers say. */
export const CLASSIC_SESSION_MS = 8_000;
export const CLOCK = { nowMs: () => performance.now(), wallMs: () => Date.now() };
const silent = () => {};
export const SILENT: KafkaLog = { debug: silent, info: silent, warn: silent, error: silent };

export const DRIVERS = {
  native: createRecordSourceDriver,
  kafkajs: createKafkajsRecordSourceDriver,
} as const;
export type DriverKind = keyof typeof DRIVERS;

export class GroupWorld {
  readonly bootstrapServers: string;
  readonly admin: KafkaAdmin;
  readonly driver: RecordSourceDriver;
  #probes: Probe[] = [];

  constructor(
    bootstrapServers: string,
    driver: Partial<RecordSourceDriverOptions> = {},
    kind: DriverKind = "native",
  ) {
    this.bootstrapServers = bootstrapServers;
    this.admin = createAdmin({ bootstrapServers: bootstrapServers.split(",") });
    this.driver = DRIVERS[kind]({
      clock: CLOCK,
      log: SILENT,
      clientId: "penstock-test",
      classicSessionTimeoutMs: CLASSIC_SESSION_MS,
      ...driver,
    });
  }

  async topic(partitions: number): Promise<{ topic: string; groupId: string }> {
    const topic = `group-${randomUUID().slice(0, 8)}`;
    await this.admin.createTopic(topic, { partitions });
    return { topic, groupId: `of-${topic}` };
  }

  open(
    options: Omit<ProbeOptions, "bootstrapServers"> & { bootstrapServers?: string },
    driver = this.driver,
  ): Probe {
    const probe = new Probe(driver, { bootstrapServers: this.bootstrapServers, ...options });
    this.#probes.push(probe);
    return probe;
  }

  /** A member that reads and commits by itself. */
  read(options: Omit<ProbeOptions, "bootstrapServers">, driver = this.driver): Reader {
    const reader = new Reader(driver, { bootstrapServers: this.bootstrapServers, ...options });
    this.#probes.push(reader.probe);
    return reader;
  }

  async committed(groupId: string, topic: string, partition: number): Promise<bigint | undefined> {
    return (await this.admin.committedOffsets(groupId, topic)).get(partition)?.offset;
  }

  /** Ends every probe of a test. */
  async endProbes(): Promise<void> {
    const probes = this.#probes;
    this.#probes = [];
    for (const probe of probes) probe.source.abort();
    await Promise.all(probes.map((probe) => probe.source.close()));
  }

  async close(): Promise<void> {
    await this.endProbes();
    await this.driver.close();
    await this.admin.close();
  }
}
