import { describe, expect, it } from "vitest";
import { parseQuickStartSettings } from "./quick-start-settings.ts";

describe("parseQuickStartSettings", () => {
  it("needs nothing from the environment", () => {
    const settings = parseQuickStartSettings({}, []);
    expect(settings).toMatchObject({ isStandalone: false, databaseUrl: undefined });
    expect(settings.ports).toMatchObject({
      mappingGrpc: 7400,
      pollerGrpc: 7401,
      invokerGrpc: 7402,
    });
    expect(settings.dataDir).toMatch(/\.penstock$/);
  });

  it("takes servers and ports of the user's own", () => {
    const env = { KAFKA_BOOTSTRAP_SERVERS: "kafka:9092", PENSTOCK_POLLER_HTTP_PORT: "8000" };
    const settings = parseQuickStartSettings(env, ["--standalone"]);
    expect(settings).toMatchObject({ isStandalone: true, bootstrapServers: "kafka:9092" });
    expect(settings.ports.pollerHttp).toBe(8000);
  });

  it("names every port that is none, at once", () => {
    const env = { PENSTOCK_KAFKA_PORT: "x", PENSTOCK_MAPPING_GRPC_PORT: "70000" };
    expect(() => parseQuickStartSettings(env, [])).toThrow(
      /PENSTOCK_MAPPING_GRPC_PORT.*\nPENSTOCK_KAFKA_PORT/,
    );
  });
});
