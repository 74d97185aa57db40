import { PenstockError } from "@penstock/core";
import { describe, expect, it } from "vitest";
import { parsePollerSettings } from "./poller-settings.ts";

const NODE_ID = "7d9f7c3e-0000-4000-8000-000000000001";

describe("settings of the poller", () => {
  it("static members need a name that the restarted poller has again", () => {
    const isStatic = { PENSTOCK_KAFKA_STATIC_MEMBERSHIP: "true" };
    expect(() => parsePollerSettings(isStatic)).toThrow(PenstockError);
    expect(() => parsePollerSettings(isStatic)).toThrow(/PENSTOCK_NODE_ID/);
    const settings = parsePollerSettings({ ...isStatic, PENSTOCK_NODE_ID: NODE_ID });
    expect(settings).toMatchObject({ nodeId: NODE_ID, kafkaStaticMembership: true });
  });
});
