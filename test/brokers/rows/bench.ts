/** What the claims of one row work with: its driver, an operator beside it, and what may differ from row to row. */
import type { KafkaAdmin } from "@penstock/kafka";
import type { LocalKafka } from "@penstock/local";
import { GroupWorld } from "../../record-source/group-world.ts";
import { Operator, type TopicAndGroup } from "../../record-source/operator.ts";
import type { Probe, ProbeOptions } from "../../record-source/probe.ts";
import type { BrokerRow } from "./broker-row.ts";
import type { BrokerUnderTest } from "./broker-under-test.ts";

/** Of a member's requests: claims about silent brokers wait for it. */
const REQUEST_TIMEOUT_MS = 3_000;
/** A classic member's partitions move when its session has run out, and the machine may be slow. */
export const MOVED_MS_MAX = 90_000;

export class Bench {
  readonly row: BrokerRow;
  readonly kafka: LocalKafka;
  readonly world: GroupWorld;
  readonly operator: Operator;
  readonly #entrance: ReturnType<BrokerUnderTest["entrance"]>;

  private constructor(row: BrokerRow, broker: BrokerUnderTest, operator: Operator) {
    this.row = row;
    this.kafka = broker.kafka;
    this.operator = operator;
    this.#entrance = broker.entrance(row);
    this.world = new GroupWorld(
      broker.kafka.bootstrapServers,
      { requestTimeoutMs: REQUEST_TIMEOUT_MS, groupProtocol: row.protocol },
      row.driver,
    );
  }

  static async open(row: BrokerRow, broker: BrokerUnderTest): Promise<Bench> {
    return new Bench(row, broker, await Operator.connect(broker.kafka.bootstrapServers));
  }

  get admin(): KafkaAdmin {
    return this.world.admin;
  }

  /** Whether a partition that the group wants back is asked for (`revoking`), not just gone (`lost`). */
  get drains(): boolean {
    return this.world.driver.capabilities.drainsBeforeRevoke;
  }

  /** Whether partitions that stay keep their assignment when others move. */
  get keepsWhatStays(): boolean {
    return this.world.driver.capabilities.rebalancesIncrementally;
  }

  topic(partitions: number, configs?: Readonly<Record<string, string>>): Promise<TopicAndGroup> {
    return this.operator.topic(partitions, configs);
  }

  open(options: Omit<ProbeOptions, "bootstrapServers">): Probe {
    return this.world.open({ ...this.#entrance, ...options });
  }

  /** A member that has all partitions of its group. */
  async alone(
    partitions: number,
    options: Partial<ProbeOptions> = {},
  ): Promise<TopicAndGroup & { probe: Probe }> {
    const of = await this.topic(partitions);
    const probe = this.open({ ...of, ...options });
    await probe.untilHolds(partitions);
    return { ...of, probe };
  }

  async close(): Promise<void> {
    await this.world.close();
    await this.operator.close();
  }
}
