import type { LookupAddress } from "node:dns";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AddressGuard } from "./address-guard.ts";
import { parseAddressRules } from "./address-rules.ts";
import type { AddressLookup } from "./name-lookups.ts";

const answering =
  (...addresses: string[]): AddressLookup =>
  (_host, callback) => {
    const found = addresses.map(
      (address): LookupAddress => ({ address, family: address.includes(":") ? 6 : 4 }),
    );
    callback(null, found);
  };

function guard(allowPrivateAddresses: boolean, lookup: AddressLookup = answering()): AddressGuard {
  return new AddressGuard({ allowPrivateAddresses, ownPorts: () => [7400, 7402], lookup });
}

/** IPv6 addresses by which a packet reaches that IPv4 address. */
function spellingsOf(address: string): readonly string[] {
  const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
  const [high, low] = [(a << 8) | b, (c << 8) | d].map((group) => group.toString(16));
  const prefixes = ["::ffff:", "0:0:0:0:0:FFFF:", "::ffff:0:", "64:ff9b::"];
  return [
    ...prefixes.flatMap((prefix) => [prefix + address, `${prefix}${high}:${low}`]),
    `2002:${high}:${low}::1`,
  ];
}

describe("AddressGuard", () => {
  it("S-01: public addresses pass, on any port", () => {
    expect(guard(false).denial("8.8.8.8", 443)).toBeNull();
    expect(guard(false).denial("8.8.8.8", 7400)).toBeNull();
  });

  it.each(["127.0.0.1", "10.0.0.1", "::1", "fd12::1", "::ffff:127.0.0.1"])(
    "S-01: %s passes only when private addresses are allowed",
    (address) => {
      expect(guard(false).denial(address, 80)).toContain("PENSTOCK_ALLOW_PRIVATE_ADDRESSES");
      expect(guard(true).denial(address, 80)).toBeNull();
    },
  );

  it.each(["169.254.169.254", "fe80::1", "fd00:ec2::254", "224.0.0.1", "0.0.0.0", "::"])(
    "S-01: %s never passes",
    (address) => {
      expect(guard(false).denial(address, 80)).not.toBeNull();
      expect(guard(true).denial(address, 80)).not.toBeNull();
    },
  );

  it("S-01: ports of Penstock never pass on loopback and private addresses", () => {
    expect(guard(true).denial("127.0.0.1", 7400)).toContain("Penstock itself");
    expect(guard(true).denial("::1", 7402)).toContain("Penstock itself");
    expect(guard(true).denial("192.168.0.9", 7402)).toContain("Penstock itself");
    expect(guard(true).denial("127.0.0.1", 7403)).toBeNull();
  });

  it.each([
    ["8.8.8.8", "::ffff:8.8.8.8", "::FFFF:808:808", "0:0:0:0:0:ffff:808:808", "64:ff9b::808:808"],
    ["2a00:1450::1", "2a00:1450:0:0:0:0:0:1", "2A00:1450::1", "2a00:1450::0.0.0.1"],
  ])(
    "S-01: ports of Penstock never pass on a public address of this machine: %s in any spelling",
    (...spellings) => {
      const ownAddresses = () => ["127.0.0.1", "8.8.8.8", "2a00:1450::1"];
      const own = new AddressGuard({
        allowPrivateAddresses: true,
        ownPorts: () => [7400],
        ownAddresses,
      });
      for (const address of spellings) {
        expect(own.denial(address, 7400), address).toContain("Penstock itself");
        expect(own.denial(address, 7401), address).toBeNull();
      }
      expect(own.denial("8.8.4.4", 7400)).toBeNull();
    },
  );

  it("S-01: what is denied for an IPv4 address is denied for every IPv6 address that leads to it", () => {
    const denied = parseAddressRules("PENSTOCK_DENIED_ADDRESSES", ["10.0.0.0/8", "8.0.0.0/6"]);
    const strict = new AddressGuard({
      ...{ allowPrivateAddresses: true, ownPorts: () => [1], ownAddresses: () => ["1.1.1.1"] },
      denied,
    });
    fc.assert(
      fc.property(fc.ipV4(), fc.constantFrom(1, 443), (address, port) => {
        const refusal = strict.denial(address, port);
        for (const spelling of spellingsOf(address)) {
          expect(strict.denial(spelling, port), spelling).toBe(refusal);
        }
        // Behind a translator of this network the classes are others; what the operator denied is denied.
        if (refusal?.includes("listed") || refusal?.includes("itself")) {
          expect(strict.denial(`64:ff9b:1::${address}`, port)).toBe(refusal);
        }
      }),
      {
        examples: [
          ["1.1.1.1", 1],
          ["10.0.0.1", 443],
          ["9.9.9.9", 443],
          ["127.0.0.1", 1],
        ],
      },
    );
    for (const address of [
      "64:ff9b:1::a00:1",
      "64:ff9b:1:a00:0:100::",
      "2606:4700::5efe:9.9.9.9",
    ]) {
      expect(strict.denial(address, 443), address).toContain("PENSTOCK_DENIED_ADDRESSES");
    }
  });

  it("S-01: an IPv6 address of somebody else's does not pass as the listed IPv4 address that it carries", () => {
    const rules = parseAddressRules("PENSTOCK_ALLOWED", ["8.0.0.0/8"]);
    const listed = new AddressGuard({
      ...{ allowPrivateAddresses: false, ownPorts: () => [] },
      allowed: { rules, setting: "PENSTOCK_ALLOWED" },
    });
    expect(listed.denial("::ffff:8.8.8.8", 443)).toBeNull();
    for (const address of ["2606:4700::5efe:8.8.8.8", "2002:808:808::1"]) {
      expect(listed.denial(address, 443)).toContain("not listed");
    }
  });

  it("S-01: of a name with several addresses only the allowed ones are dialled", async () => {
    const mixed = guard(false, answering("169.254.169.254", "8.8.8.8", "::1"));
    await expect(mixed.resolve("mixed.example", 80)).resolves.toEqual([
      { address: "8.8.8.8", family: 4 },
    ]);
    const bad = guard(true, answering("169.254.169.254"));
    await expect(bad.resolve("rebind.example", 80)).rejects.toMatchObject({
      code: "addressDenied",
    });
  });

  it.each(["0x7f.1", "0177.0.0.1", "2130706433", "127.1"])(
    "S-01: the IPv4 form %s counts as what the system makes of it",
    async (host) => {
      const real = new AddressGuard({ allowPrivateAddresses: false, ownPorts: () => [] });
      await expect(real.resolve(host, 80)).rejects.toMatchObject({ code: "addressDenied" });
    },
  );

  it("S-01: IP literals in brackets are checked too", async () => {
    await expect(guard(false).resolve("[::1]", 80)).rejects.toMatchObject({
      code: "addressDenied",
    });
    await expect(guard(true).resolve("[::1]", 80)).resolves.toEqual([
      { address: "::1", family: 6 },
    ]);
  });

  it("shares one look-up between callers and runs a bounded number at once", async () => {
    const waiting: (() => void)[] = [];
    let lookups = 0;
    const slow = new AddressGuard({
      allowPrivateAddresses: true,
      ownPorts: () => [],
      lookupsMax: 2,
      lookup: (_host, callback) => {
        lookups++;
        waiting.push(() => callback(null, [{ address: "10.0.0.1", family: 4 }]));
      },
    });
    const names = ["a", "a", "a", "b", "c"];
    const all = Promise.all(names.map((name) => slow.resolve(name, 80)));
    expect(lookups).toBe(2);
    for (let answer = waiting.shift(); answer !== undefined; answer = waiting.shift()) answer();
    await expect(all).resolves.toHaveLength(5);
    expect(lookups).toBe(3);
  });
});
