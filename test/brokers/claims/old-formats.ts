/** What a member reads of topics that are kept in the message formats of before Kafka 0.11: brokers to 2.8 still write them when a topic asks for it. */
import { ConfigResourceTypes } from "kafkajs";
import { expect, it } from "vitest";
import type { Bench } from "../rows/bench.ts";
import { type BrokerRow, offersOf } from "../rows/broker-row.ts";

const FORMATS = [
  ["0.9.0", "format 0"],
  ["0.10.2", "format 1"],
] as const;

export function claimsOfOldFormats(row: BrokerRow, bench: () => Bench): void {
  it.runIf(offersOf(row.version).writesOldFormats).each(FORMATS)(
    "F21, I-1, I-3, I-13: messages of %s (%s), alone and compressed, and record batches after them",
    async (version) => {
      const { operator } = bench();
      const topic = await operator.topic(1, { "message.format.version": version });
      const sent: string[] = [];
      const send = async (count: number, put: (values: string[]) => Promise<void>) => {
        const values = Array.from({ length: count }, (_, each) => `value ${sent.length + each}`);
        sent.push(...values);
        await put(values);
      };
      await send(3, (values) => operator.send(topic.topic, 0, values));
      for (const codec of ["gzip", "snappy", "lz4"] as const)
        await send(40, (values) => operator.sendCompressed(topic.topic, codec, values));
      const now = row.version === "0.11" ? "0.11.0" : row.version;
      const configEntries = [{ name: "message.format.version", value: now }];
      const resource = { type: ConfigResourceTypes.TOPIC, name: topic.topic, configEntries };
      await operator.admin.alterConfigs({ validateOnly: false, resources: [resource] });
      await send(20, (values) => operator.sendCompressed(topic.topic, "gzip", values));

      const probe = bench().open({ ...topic, fetches: true });
      await probe.until("all came", () => probe.offsetsOf(0).length >= sent.length);
      expect(probe.valuesOf(0)).toEqual(sent);
      expect(probe.offsetsOf(0)).toEqual(sent.map((_, each) => BigInt(each)));
      expect(probe.of("undecodable")).toEqual([]);
      // From inside of a compressed set.
      probe.source.fetch(probe.assignment(0), 17n);
      const isRead = () => probe.offsetsOf(0).length >= 2 * sent.length - 17;
      await probe.until("it came again from there", isRead);
      expect(probe.valuesOf(0).slice(sent.length)).toEqual(sent.slice(17));
    },
  );
}
