/** What the tests of the kafkajs driver share: the world of record sources with this driver in it, and the other side of the brokers. */
import {
  createKafkajsRecordSourceDriver,
  type KafkaAdmin,
  type RecordSourceDriverOptions,
} from "@penstock/kafka";
import { CLOCK, GroupWorld, SILENT } from "../../record-source/group-world.ts";
import { Operator } from "../../record-source/operator.ts";
import type { Probe, ProbeOptions } from "../../record-source/probe.ts";

export function kafkajsDriver(options: Partial<RecordSourceDriverOptions> = {}) {
  return createKafkajsRecordSourceDriver({
    clock: CLOCK,
    log: SILENT,
    clientId: "penstock-kafkajs",
    ...options,
  });
}

export class KafkajsWorld {
  readonly operator: Operator;
  readonly driver = kafkajsDriver();
  readonly #world: GroupWorld;

  private constructor(world: GroupWorld, operator: Operator) {
    this.#world = world;
    this.operator = operator;
  }

  static async open(bootstrapServers: string): Promise<KafkajsWorld> {
    return new KafkajsWorld(
      new GroupWorld(bootstrapServers),
      await Operator.connect(bootstrapServers),
    );
  }

  get bootstrapServers(): string {
    return this.#world.bootstrapServers;
  }

  get admin(): KafkaAdmin {
    return this.#world.admin;
  }

  open(
    options: Omit<ProbeOptions, "bootstrapServers"> & { bootstrapServers?: string },
    driver = this.driver,
  ): Probe {
    return this.#world.open(options, driver);
  }

  endProbes(): Promise<void> {
    return this.#world.endProbes();
  }

  async close(): Promise<void> {
    await this.#world.close();
    await this.operator.close();
  }
}

export function upTo(count: number): bigint[] {
  return Array.from({ length: count }, (_, index) => BigInt(index));
}
