import { describe, expect, it } from "vitest";
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

  it("lets the caller add and replace lines", () => {
    const extraProperties = { "auto.create.topics.enable": true, "num.partitions": 3 };
    const text = brokerProperties({ ...SETTINGS, extraProperties });
    expect(text).toContain("auto.create.topics.enable=true\nnum.partitions=3\n");
  });
});
