/** One broker below kafkajs's cluster: requests as bytes, answers as a test gives them. */
import type { KafkajsBroker, WireExchange } from "../client/kafkajs-internals.ts";

const METADATA_KEY = 3;

export class FakeWire {
  readonly requests: Buffer[] = [];
  /** Versions that the brokers of a cluster were made with. */
  readonly believed: unknown[] = [];
  readonly broker: KafkajsBroker;

  /** `version`: the newest of Metadata that the broker offers. */
  constructor(version: number, answer: () => Buffer) {
    const connectionPool = {
      ...{ host: "b", port: 9092, rack: null },
      send: async (exchange: object) => {
        const { request, response } = exchange as WireExchange;
        this.requests.push((await request.encode()).buffer);
        return response.parse(await response.decode(answer()));
      },
      getConnection: async () => connectionPool,
    };
    this.broker = {
      ...{ nodeId: 1, versions: { [METADATA_KEY]: { minVersion: 0, maxVersion: version } } },
      ...{ connectionPool, isConnected: () => true },
      ...{ disconnect: async () => {}, metadata: () => Promise.reject(new Error("kafkajs's own")) },
    };
    // Called by kafkajs alone.
    Object.assign(this.broker, { connect: async () => {} });
  }
}
