import { describe, expect, it } from "vitest";
import { parsePollerSettings } from "../poller-settings.ts";
import { chooseDriver } from "./choose-driver.ts";

const KAFKAJS = { PENSTOCK_KAFKA_DRIVER: "kafkajs" };

function refused(env: Record<string, string>): unknown {
  try {
    parsePollerSettings(env);
  } catch (error) {
    return (error as { violations?: { field: string }[] }).violations?.map(({ field }) => field);
  }
  return [];
}

describe("the choice of a driver", () => {
  it("settings that the kafkajs driver can't follow are refused, all at once", () => {
    expect(
      refused({
        ...KAFKAJS,
        PENSTOCK_KAFKA_GROUP_PROTOCOL: "consumer",
        PENSTOCK_KAFKA_STATIC_MEMBERSHIP: "true",
        PENSTOCK_NODE_ID: "0b2f9e0a-0000-4000-8000-000000000001",
        PENSTOCK_KAFKA_RACK: "a",
      }),
    ).toEqual([
      "PENSTOCK_KAFKA_GROUP_PROTOCOL",
      "PENSTOCK_KAFKA_STATIC_MEMBERSHIP",
      "PENSTOCK_KAFKA_RACK",
    ]);
    expect(refused({ ...KAFKAJS, PENSTOCK_KAFKA_GROUP_PROTOCOL: "classic" })).toEqual([]);
    expect(refused({ PENSTOCK_KAFKA_GROUP_PROTOCOL: "consumer" })).toEqual([]);
  });

  it("takes the driver of the setting, and says in the log what it can't do", async () => {
    const said: [string, object | undefined][] = [];
    const log = {
      debug() {},
      info: (message: string, fields?: object) => said.push([message, fields]),
      warn() {},
      error() {},
    };
    const clock = { nowMs: () => 0, wallMs: () => 0 };
    for (const env of [KAFKAJS, {}])
      await chooseDriver(parsePollerSettings(env), { clock, log, clientId: "test" }).close();
    expect(said).toMatchObject([
      ["kafka driver", { driver: "kafkajs", rebalancesIncrementally: false }],
      ["kafka driver", { driver: "native", rebalancesIncrementally: true }],
    ]);
  });
});
