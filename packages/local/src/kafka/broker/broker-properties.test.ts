import { describe, expect, it } from "vitest";
import { KAFKA_VERSIONS, kafkaRelease } from "../kafka-versions.ts";
import { brokerProperties } from "./broker-properties.ts";

const SETTINGS = { dataDir: "/data", port: 1001, controllerPort: 1002 };

describe("brokerProperties", () => {
  it("listens on loopback only", () => {
    const lines = brokerProperties(SETTINGS).split("\n");
    const addresses = lines.filter((line) => line.includes("://") || line.includes("@"));
    expect(addresses).toHaveLength(3);
    for (const address of addresses) expect(address).not.toMatch(/(@|:\/\/)(?!127\.0\.0\.1:)/);
  });

  it("keeps the broker's bounds around the session that is asked for", () => {
    const text = brokerProperties({ ...SETTINGS, sessionTimeoutMs: 2_000 });
    expect(text).toContain("group.consumer.session.timeout.ms=2000\n");
    expect(text).toContain("group.consumer.min.session.timeout.ms=2000\n");
  });

  it("listens on loopback only in every version, as one of several nodes", () => {
    for (const version of KAFKA_VERSIONS) {
      const release = kafkaRelease(version);
      const lines = brokerProperties({ ...SETTINGS, release, nodeId: 2 }).split("\n");
      expect(lines).toContain("listeners=PLAINTEXT://127.0.0.1:1001");
      const center =
        release.metadata === "kraft" ? "controller.quorum.voters" : "zookeeper.connect";
      expect(lines.find((line) => line.startsWith(center))).toMatch(/[=@]127\.0\.0\.1:1002$/);
    }
  });

  it("sends clients elsewhere and keeps brokers among themselves", () => {
    const advertised = { address: "elsewhere:9092", internalPort: 1003 };
    const lines = brokerProperties({ ...SETTINGS, nodeId: 2, advertised }).split("\n");
    expect(lines).toContain(
      "advertised.listeners=PLAINTEXT://elsewhere:9092,INTERNAL://127.0.0.1:1003",
    );
    expect(lines).toContain("inter.broker.listener.name=INTERNAL");
  });

  it("lets the caller add and replace lines", () => {
    const extraProperties = { "auto.create.topics.enable": true, "num.partitions": 3 };
    const text = brokerProperties({ ...SETTINGS, extraProperties });
    expect(text).toContain("auto.create.topics.enable=true\nnum.partitions=3\n");
  });
});
