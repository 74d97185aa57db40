import type { LookupAddress } from "node:dns";
import { describe, expect, it } from "vitest";
import { AddressGuard } from "./address-guard.ts";
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
