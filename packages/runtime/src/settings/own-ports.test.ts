import { describe, expect, it } from "vitest";
import { Secret } from "../secrets/secret.ts";
import { databasePortsOf, OWN_PORT_SETTINGS, ownPortsOf } from "./own-ports.ts";
import { parseSettings } from "./parse-settings.ts";

describe("the own ports", () => {
  it("S-01: are those of all services of the machine, and of the mapping service that is dialled", () => {
    const env = { PENSTOCK_POLLER_GRPC_PORT: "0", PENSTOCK_MAPPING_SERVICE: "other:9000" };
    const ports = ownPortsOf(parseSettings(OWN_PORT_SETTINGS, env));
    expect([...ports].toSorted((a, b) => a - b)).toEqual([7400, 7402, 7480, 7481, 7482, 9000]);
  });

  it.each([
    ["postgres://u:p@db:6432/name", [6432]],
    ["postgres://db/name", [5432]],
    ["postgresql://u:p%40@[fd00::1]:6432,b/name?x=1:2", [6432, 5432]],
  ])("S-01: Postgres' of %s are %j", (url, ports) => {
    expect(databasePortsOf(new Secret(url))).toEqual(ports);
  });
});
