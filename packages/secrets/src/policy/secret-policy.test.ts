import { describe, expect, it } from "vitest";
import { parseBrokerPattern } from "./broker-pattern.ts";
import { admitsBroker, admitsUser, readPolicy } from "./secret-policy.ts";

const matches = (pattern: string, host: string, port: number) =>
  parseBrokerPattern(pattern)?.matches(host, port);

describe("broker patterns", () => {
  it.each([
    ["kafka.example:9096", "kafka.example", 9096],
    ["kafka.example:9096", "Kafka.Example.", 9096],
    ["*.kafka.example:9096", "b-1.kafka.example", 9096],
    ["*.kafka.example:9096", "a.b.kafka.example", 9096],
    ["kafka.example:*", "kafka.example", 1],
    ["10.0.0.1:9092", "10.0.0.1", 9092],
    ["[fd00::1]:9092", "fd00::1", 9092],
    ["*:*", "anything", 1],
  ])("%s holds for %s:%d", (pattern, host, port) => {
    expect(matches(pattern, host, port)).toBe(true);
  });

  it.each([
    ["kafka.example:9096", "kafka.example", 9097],
    ["kafka.example:9096", "kafka.example.evil", 9096],
    ["*.kafka.example:9096", "kafka.example", 9096],
    ["*.kafka.example:9096", "evilkafka.example", 9096],
    ["*.kafka.example:9096", "kafka.example.evil", 9096],
    ["10.0.0.1:9092", "10.0.0.10", 9092],
  ])("S-12: %s does not hold for %s:%d", (pattern, host, port) => {
    expect(matches(pattern, host, port)).toBe(false);
  });

  it.each([
    "kafka.example",
    "kafka.example:",
    ":9092",
    "a*.example:1",
    "a.*:1",
    "a:0",
    "a:70000",
    "a b:1",
    "",
  ])("%j is no pattern", (text) => {
    expect(parseBrokerPattern(text)).toBeNull();
  });
});

describe("policies", () => {
  const policy = (members: unknown) => {
    const read = readPolicy(members);
    if (typeof read === "string") throw new Error(read);
    return read;
  };
  const user = (subject: string, ...roles: string[]) => ({ subject, roles: new Set(roles) });

  it("S-12: admit whoever may change mappings when they name nobody", () => {
    const open = policy({ brokers: ["a:1"] });
    expect(admitsUser(open, user("x", "operator"))).toBe(true);
    expect(admitsUser(open, user("x", "viewer"))).toBe(false);
    expect(admitsUser(open, user("x", "node"))).toBe(false);
  });

  it("S-12: admit by role or by subject, and nobody else", () => {
    const closed = policy({ brokers: ["a:1"], roles: ["admin"], subjects: ["alice"] });
    expect(admitsUser(closed, user("bob", "admin"))).toBe(true);
    expect(admitsUser(closed, user("alice", "operator"))).toBe(true);
    expect(admitsUser(closed, user("bob", "operator"))).toBe(false);
    const subjects = policy({ brokers: ["a:1"], subjects: ["alice"] });
    expect(admitsUser(subjects, user("bob", "admin"))).toBe(false);
    expect(admitsUser(policy({ brokers: [], roles: [] }), user("bob", "admin"))).toBe(false);
  });

  it("an empty list of brokers is nowhere", () => {
    expect(admitsBroker(policy({ brokers: [] }), "a", 1)).toBe(false);
  });

  it.each([
    [null, '"brokers"'],
    [{}, '"brokers" must be a list'],
    [{ brokers: "a:1" }, '"brokers" must be a list'],
    [{ brokers: [9092] }, '"brokers" must be a list'],
    [{ brokers: ["a"] }, "not host:port"],
    [{ brokers: [], role: ["admin"] }, 'unknown member "role"'],
    [{ brokers: [], roles: ["root"] }, '"root"'],
    [{ brokers: [], subjects: "alice" }, '"subjects" must be a list'],
  ])("%j is no policy, and the problem says why", (members, problem) => {
    expect(readPolicy(members)).toContain(problem);
  });
});
