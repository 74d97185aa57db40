import { describe, expect, it } from "vitest";
import { classOf } from "./address-class.ts";
import { createAddressGuards } from "./address-guards.ts";
import { parseAddressRules } from "./address-rules.ts";
import { dialledAddress, parseAddress } from "./address-value.ts";

function matches(rule: string, address: string, port: number, host: string | null = null) {
  const parsed = parseAddress(address);
  if (parsed === null) throw new Error(address);
  const place = { addresses: [dialledAddress(parsed)], addressClass: classOf(parsed), port, host };
  return parseAddressRules("SETTING", [rule]).matches(place);
}

describe("address rules", () => {
  it.each([
    ["10.20.0.0/16", "10.20.255.1", 9092, null],
    ["10.20.0.0/16:9092", "10.20.0.1", 9092, null],
    ["10.0.0.7", "10.0.0.7", 1, null],
    ["10.0.0.7", "::ffff:10.0.0.7", 1, null],
    ["::ffff:10.0.0.0/104", "10.1.2.3", 1, null],
    ["fd00::/8", "fd12::1", 443, null],
    ["FD00::/8", "fd12:0:0::0.0.0.1", 443, null],
    ["[fd00::/8]:443", "fd12::1", 443, null],
    ["[fe80::1]", "fe80::1%eth0", 443, null],
    ["public", "8.8.8.8", 443, null],
    ["private", "127.0.0.1", 443, null],
    ["private", "192.168.1.1", 443, null],
    ["kafka.internal", "10.0.0.1", 9092, "Kafka.Internal."],
    ["*.kafka.internal:9092", "10.0.0.1", 9092, "b-1.kafka.internal"],
    ["*:5432", "10.0.0.1", 5432, "db"],
  ] as const)("S-01: %s holds for %s port %d (%s)", (rule, address, port, host) => {
    expect(matches(rule, address, port, host)).toBe(true);
  });

  it.each([
    ["10.20.0.0/16", "10.21.0.1", 9092, null],
    ["10.20.0.0/16:9092", "10.20.0.1", 9093, null],
    ["10.0.0.0/8", "64:ff9b::10.0.0.1", 9092, null],
    ["::/0", "::ffff:10.0.0.1", 9092, null],
    ["0.0.0.0/0", "fd12::1", 9092, null],
    ["public", "10.0.0.1", 443, null],
    ["private", "8.8.8.8", 443, null],
    ["kafka.internal", "10.0.0.1", 9092, null],
    ["kafka.internal", "10.0.0.1", 9092, "kafka.internal.example"],
    ["*.kafka.internal", "10.0.0.1", 9092, "kafka.internal"],
    ["*.kafka.internal", "10.0.0.1", 9092, "evilkafka.internal"],
    ["*:5432", "10.0.0.1", 5433, "db"],
  ] as const)("S-01: %s does not hold for %s port %d (%s)", (rule, address, port, host) => {
    expect(matches(rule, address, port, host)).toBe(false);
  });

  it.each([
    "",
    "10.0.0.0/33",
    "300.1.1.1",
    "10.0.0.1:0",
    "10.0.0.1:70000",
    "a b",
    "http://a",
    "a/8",
    "[::1",
    "*.*.a",
    "fd00::/129",
  ])("%j is no rule, and the refusal names the setting", (rule) => {
    expect(() => parseAddressRules("PENSTOCK_X", [rule])).toThrow("PENSTOCK_X must list");
  });
});

describe("the guards of a process", () => {
  const open = (settings: Partial<Parameters<typeof createAddressGuards>[0]["settings"]>) =>
    createAddressGuards({
      settings: { allowPrivateAddresses: false, ...settings },
      ownPorts: () => [7400],
    });

  it("S-01: private addresses need the setting for functions and brokers, a list for what else users name, and nothing for what the operator names", () => {
    const closed = open({});
    const lax = open({ allowPrivateAddresses: true });
    for (const kind of ["functions", "brokers"] as const) {
      expect(closed.of(kind).denial("10.0.0.1", 80)).toContain("PENSTOCK_ALLOW_PRIVATE_ADDRESSES");
      expect(lax.of(kind).denial("10.0.0.1", 80)).toBeNull();
    }
    for (const [kind, name] of [
      ["tokenEndpoints", "TOKEN_ENDPOINTS"],
      ["registries", "REGISTRIES"],
      ["destinations", "DESTINATIONS"],
    ] as const) {
      expect(lax.of(kind).denial("10.0.0.1", 80)).toContain(`PENSTOCK_ALLOWED_ADDRESSES_${name}`);
      expect(lax.of(kind).denial("8.8.8.8", 80)).toBeNull();
    }
    for (const kind of ["vault", "secretsManager", "keySets"] as const) {
      expect(closed.of(kind).denial("10.0.0.1", 80)).toBeNull();
    }
  });

  it("S-01, S-07: a list is the whole truth for its kind and for no other", () => {
    const guards = open({ allowedBrokers: ["10.0.0.0/8:9092"], allowPrivateAddresses: true });
    expect(guards.of("brokers").denial("10.0.0.1", 9092)).toBeNull();
    expect(guards.of("brokers").denial("10.0.0.1", 9093)).toContain("ADDRESSES_BROKERS");
    expect(guards.of("brokers").denial("8.8.8.8", 9092)).toContain("ADDRESSES_BROKERS");
    expect(guards.of("functions").denial("8.8.8.8", 9092)).toBeNull();
  });

  it("S-01: no list lets metadata, Penstock's own ports or a denied place through", () => {
    const guards = open({
      allowedBrokers: ["*", "169.254.169.254"],
      allowedVault: ["*"],
      deniedAddresses: ["*:5432"],
    });
    for (const kind of ["brokers", "vault"] as const) {
      expect(guards.of(kind).denial("169.254.169.254", 80)).not.toBeNull();
      expect(guards.of(kind).denial("127.0.0.1", 7400)).toContain("Penstock itself");
      expect(guards.of(kind).denial("8.8.8.8", 5432)).toContain("PENSTOCK_DENIED_ADDRESSES");
    }
  });
});
