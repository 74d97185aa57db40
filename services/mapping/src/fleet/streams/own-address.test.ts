import type { Caller, Peer } from "@penstock/runtime";
import { describe, expect, it } from "vitest";
import { requireOwnAddress } from "./own-address.ts";

const POLLER: Caller = {
  subject: "poller-a",
  roles: new Set(["node"]),
  nodeId: null,
  nodeServices: new Set(["poller"]),
};
const NAMES: Readonly<Record<string, readonly string[]>> = {
  "poller-a.internal": ["10.0.0.7", "fd00::7"],
  localhost: ["127.0.1.1"],
  "kafka.internal": ["10.0.0.9"],
};

function check(
  address: string,
  from: string | null,
  more: { caller?: Caller; certified?: string } = {},
) {
  const peer: Peer = {
    address: from,
    connection: null,
    isCertifiedFor: (host) => host === more.certified,
  };
  const resolve = async (host: string) => NAMES[host] ?? [];
  return requireOwnAddress(address, more.caller ?? POLLER, peer, resolve);
}

describe("requireOwnAddress", () => {
  it.each([
    ["10.0.0.7:7401", "10.0.0.7"],
    ["10.0.0.7:7401", "::ffff:10.0.0.7"],
    ["[fd00::0007]:7401", "fd00::7"],
    ["poller-a.internal:7401", "10.0.0.7"],
    ["Poller-A.internal:7401", "fd00::7"],
    ["127.0.0.1:7401", "::1"],
    ["localhost:7401", "127.0.0.1"],
  ])("takes %s of a node that calls from %s", async (address, from) => {
    await expect(check(address, from)).resolves.toBeUndefined();
  });

  it.each([
    ["10.0.0.9:7401", "10.0.0.7"],
    ["kafka.internal:7401", "10.0.0.7"],
    ["nowhere.internal:7401", "10.0.0.7"],
    ["127.0.0.1:7401", "10.0.0.7"],
    ["10.0.0.7:7401", null],
  ])(
    "S-10: refuses %s of a node that calls from %s, and says what to set",
    async (address, from) => {
      await expect(check(address, from)).rejects.toMatchObject({
        code: "permissionDenied",
        message: expect.stringMatching(
          /PENSTOCK_ADVERTISED_HOST .* hosts of the credential poller-a/,
        ),
      });
    },
  );

  it("takes a host that the client certificate names", async () => {
    await expect(
      check("p.example:1", "10.0.0.1", { certified: "p.example" }),
    ).resolves.toBeUndefined();
  });

  it("S-10: goes by the hosts of the credential alone, where it has some", async () => {
    const caller = { ...POLLER, nodeHosts: new Set(["nat.example"]) };
    await expect(check("NAT.example:7401", "10.0.0.1", { caller })).resolves.toBeUndefined();
    await expect(check("10.0.0.7:7401", "10.0.0.7", { caller })).rejects.toMatchObject({
      code: "permissionDenied",
    });
  });

  it("asks nothing while nobody has to authenticate", async () => {
    const caller: Caller = { subject: "anonymous", roles: new Set(["node"]), nodeId: null };
    await expect(check("kafka.internal:1", "127.0.0.1", { caller })).resolves.toBeUndefined();
  });
});
