import { describe, expect, it } from "vitest";
import { Secret } from "../secrets/secret.ts";
import { createLogger, type Logger } from "./logger.ts";

interface Captured {
  readonly log: Logger;
  readonly lines: string[];
  last(): Record<string, unknown>;
}

function capture(level?: string): Captured {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  return {
    log: createLogger({ service: "test", level, destination }),
    lines,
    last: () => JSON.parse(lines.at(-1) ?? "{}"),
  };
}

describe("createLogger", () => {
  it("writes one JSON object a line, with level, time, service, message and fields", () => {
    const { log, lines, last } = capture();
    log.info("ready", { grpc: "127.0.0.1:7400" });
    expect(lines[0]).toMatch(/^\{.*\}\n$/);
    expect(last()).toMatchObject({
      level: "info",
      service: "test",
      msg: "ready",
      grpc: "127.0.0.1:7400",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
  });

  it("adds a child's fields to each of its lines", () => {
    const { log, last } = capture();
    log.child({ mapping: "m" }).child({ partition: 3 }).warn("slow");
    expect(last()).toMatchObject({ level: "warn", mapping: "m", partition: 3 });
  });

  it("leaves out lines below its level, and takes an unknown level for info", () => {
    const quiet = capture("warn");
    quiet.log.info("no");
    quiet.log.error("yes");
    expect(quiet.lines).toHaveLength(1);
    const unknown = capture("loud");
    unknown.log.debug("no");
    unknown.log.info("yes");
    expect(unknown.lines).toHaveLength(1);
  });

  it("S-24: writes an error with its private causes", () => {
    const { log, last } = capture();
    const cause = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    log.error("failed", { error: new Error("unavailable", { cause }) });
    expect(last().error).toMatchObject({
      message: "unavailable",
      cause: { code: "ECONNREFUSED", message: "connect ECONNREFUSED" },
    });
  });

  it("survives an error that is its own cause", () => {
    const { log, lines } = capture();
    const error = new Error("loop");
    error.cause = error;
    log.error("failed", { error });
    expect(lines).toHaveLength(1);
  });

  it("I-21, S-12: writes no secret", () => {
    const { log, lines } = capture();
    const secret = new Secret("hunter2");
    log.info("one", { secret, deep: { list: [secret] } });
    log.info("two", { password: "hunter2", headers: { authorization: "hunter2" } });
    log.info(`three ${secret}`);
    expect(lines.join("")).not.toContain("hunter2");
  });

  it("S-08, F90: a value can't drive a terminal or break the line", () => {
    const { log, lines, last } = capture();
    const key = "\u001b[2J\u009b31m\r\n\u0000\u007f\u2028end";
    log.info("record", { key });
    expect(lines).toHaveLength(1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(lines[0]?.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
    expect(last().key).toBe(key);
  });
});
