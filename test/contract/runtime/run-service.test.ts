// The life of a service as a real process: signals, deadlines, bugs, a reader of its log that stalls.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { stopAfterEach } from "./stoppable.ts";

const keep = stopAfterEach();
const MAIN = new URL("./process/service-process.ts", import.meta.url).pathname;

interface Line {
  readonly msg: string;
  readonly [field: string]: unknown;
}

class ServiceProcess {
  readonly child: ChildProcess;
  readonly lines: Line[] = [];
  readonly exited: Promise<number | string>;
  readonly #waiters: { msg: string; resolve: () => void }[] = [];

  constructor(behaviour: string, env: Record<string, string>, stdio: "read" | "stalled") {
    this.child = spawn(process.execPath, [MAIN], {
      env: { PATH: process.env.PATH, TEST_BEHAVIOUR: behaviour, ...env },
      stdio: ["ignore", "pipe", "inherit", "ipc"],
    });
    this.exited = once(this.child, "exit").then(([code, signal]) => code ?? signal);
    if (stdio === "read" && this.child.stdout !== null) {
      createInterface(this.child.stdout).on("line", (line) => this.#take(JSON.parse(line)));
    }
  }

  said(msg: string): Promise<void> {
    if (this.lines.some((line) => line.msg === msg)) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ msg, resolve }));
  }

  async stop(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
  }

  #take(line: Line): void {
    this.lines.push(line);
    for (const waiter of this.#waiters) if (waiter.msg === line.msg) waiter.resolve();
  }
}

function run(behaviour = "", env: Record<string, string> = {}, stdio: "read" | "stalled" = "read") {
  return keep(new ServiceProcess(behaviour, env, stdio));
}

describe("runService", () => {
  it.each(["SIGTERM", "SIGINT"] as const)("F80, L-3: %s stops it cleanly: exit 0", async (name) => {
    const service = run();
    await service.said("ready");
    service.child.kill(name);
    expect(await service.exited).toBe(0);
    expect(service.lines.at(-1)).toMatchObject({ msg: "stopped", level: "info", service: "test" });
  });

  it("F80: a signal during the start ends it: exit 0", async () => {
    const service = run("hangs while starting");
    await service.said("starting");
    service.child.kill("SIGTERM");
    expect(await service.exited).toBe(0);
  });

  it("F80: a second signal ends it at once: exit 1", async () => {
    const service = run("hangs while stopping");
    await service.said("ready");
    service.child.kill("SIGTERM");
    await service.said("stopping");
    service.child.kill("SIGTERM");
    expect(await service.exited).toBe(1);
  });

  it("L-3: the deadline ends a stop that hangs: exit 1", async () => {
    const service = run("hangs while stopping", { PENSTOCK_SHUTDOWN_DEADLINE_MS: "100" });
    await service.said("ready");
    service.child.kill("SIGTERM");
    expect(await service.exited).toBe(1);
    expect(service.lines.at(-1)?.msg).toContain("not stopped by the deadline");
  });

  it("says why it can't start: exit 1", async () => {
    const service = run("fails to start");
    expect(await service.exited).toBe(1);
    expect(service.lines.at(-1)).toMatchObject({
      msg: "could not start",
      error: { message: "no database" },
    });
  });

  it.each(["rejects unhandled", "throws"])(
    "F89: a process that %s ends: exit 70",
    async (behaviour) => {
      const service = run(behaviour);
      expect(await service.exited).toBe(70);
      expect(service.lines.at(-1)).toMatchObject({
        level: "error",
        msg: "a bug: ending the process",
        error: { message: "bug" },
      });
    },
  );

  it("F88: goes on working while the reader of its log stalls, within bounded memory, and stops in time", async () => {
    const service = run("logs without end", { PENSTOCK_LOG_BUFFER_BYTES_MAX: "65536" }, "stalled");
    // A hundred turns of its event loop at 200 kB of log each, none of it read.
    for (let turn = 0; turn < 100; turn++) await once(service.child, "message");
    service.child.kill("SIGTERM");
    expect(await service.exited).toBe(0);
  });

  it("F88: says how many lines were lost when the reader is back", async () => {
    const service = run("logs without end", { PENSTOCK_LOG_BUFFER_BYTES_MAX: "65536" }, "stalled");
    for (let turn = 0; turn < 20; turn++) await once(service.child, "message");
    const { stdout } = service.child;
    if (stdout === null) throw new Error("no output");
    for await (const line of createInterface(stdout)) {
      const { msg, dropped } = JSON.parse(line);
      if (msg !== "log lines dropped") continue;
      expect(dropped).toBeGreaterThan(0);
      break;
    }
  });
});
