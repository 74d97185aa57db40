import { type Part, type Running, Supervisor } from "@penstock/local";
import { describe, expect, it } from "vitest";

/** A part without a process: ended and refused by hand. */
class FakePart implements Part {
  readonly name: string;
  readonly #trace: string[];
  launches = 0;
  failures = 0;
  end: () => void = () => {};

  constructor(name: string, trace: string[]) {
    this.name = name;
    this.#trace = trace;
  }

  async launch(): Promise<Running> {
    this.launches++;
    if (this.failures > 0) {
      this.failures--;
      throw new Error(`${this.name} refuses`);
    }
    this.#trace.push(`+${this.name}`);
    const { promise: exited, resolve } = Promise.withResolvers<void>();
    this.end = resolve;
    return {
      pid: this.launches,
      exited,
      stop: async () => {
        this.#trace.push(`-${this.name}`);
        resolve();
      },
    };
  }
}

function world(names: readonly string[]) {
  const trace: string[] = [];
  const back = Promise.withResolvers<void>();
  const supervisor = new Supervisor({
    backoffMs: () => 0,
    events: {
      ended: (name) => trace.push(`ended ${name}`),
      failed: (name) => trace.push(`failed ${name}`),
      back: () => back.resolve(),
    },
  });
  return {
    trace,
    supervisor,
    back: back.promise,
    parts: names.map((name) => new FakePart(name, trace)),
  };
}

describe("Supervisor", () => {
  it("stops in the reverse order of the start, one after the other", async () => {
    const { trace, supervisor, parts } = world(["a", "b", "c"]);
    await supervisor.start(...parts);
    await supervisor.stop();
    expect(trace).toEqual(["+a", "+b", "+c", "-c", "-b", "-a"]);
  });

  it("starts a part again that has ended, and says so", async () => {
    const { trace, supervisor, parts, back } = world(["a", "b"]);
    await supervisor.start(...parts);
    parts[0]?.end();
    await back;
    expect(trace).toEqual(["+a", "+b", "ended a", "+a"]);
    expect(supervisor.pidOf("a")).toBe(2);
    await supervisor.stop();
  });

  it("tries a restart again until it works", async () => {
    const { trace, supervisor, parts, back } = world(["a"]);
    await supervisor.start(...parts);
    const [part] = parts;
    if (part !== undefined) part.failures = 3;
    part?.end();
    await back;
    expect(trace.filter((line) => line === "failed a")).toHaveLength(3);
    await supervisor.stop();
  });

  it("fails the start when a part can't be started the first time, and still stops the others", async () => {
    const { trace, supervisor, parts } = world(["a", "b"]);
    const [, second] = parts;
    if (second !== undefined) second.failures = 1;
    await expect(supervisor.start(...parts)).rejects.toThrow("b refuses");
    await supervisor.stop();
    expect(trace).toEqual(["+a", "-a"]);
  });

  it("launches nothing once it was told to stop", async () => {
    const { supervisor, parts } = world(["a"]);
    await supervisor.start(...parts);
    const stopped = supervisor.stop();
    parts[0]?.end();
    await stopped;
    expect(parts[0]?.launches).toBe(1);
    await expect(supervisor.start(...parts)).rejects.toThrow();
  });
});
