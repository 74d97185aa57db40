import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  endLeftovers,
  isAlive,
  livingPid,
  pidFile,
  processPart,
  REPOSITORY_ROOT,
  recordPid,
  ServerProcess,
  type ServerProcessOptions,
  Supervisor,
} from "@penstock/local";
import { afterAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "penstock-process-"));
const READY_AND_WAIT = 'process.stdout.write("ready\\n"); setInterval(() => {}, 1e6);';
const DEAF = `process.on("SIGTERM", () => {}); ${READY_AND_WAIT}`;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function nodeProgram(code: string): ServerProcessOptions {
  return {
    name: "a program",
    command: process.execPath,
    arguments: ["--eval", code],
    farewell: "TERM",
    stopSignal: "SIGTERM",
    stopLimitMs: 5_000,
  };
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe("ServerProcess", () => {
  it("throws with the last lines of output when the program ends during its start", async () => {
    const failing = new ServerProcess(nodeProgram('process.stderr.write("no such disk\\n")'));
    await expect(failing.ready(() => false, 10_000)).rejects.toThrow("no such disk");
  });

  it("throws when the program can't be found", async () => {
    const missing = new ServerProcess({ ...nodeProgram(""), command: "/no/such/program" });
    await expect(missing.ready(() => false, 10_000)).rejects.toThrow("ENOENT");
  });

  it("throws and kills when the program isn't ready in time", async () => {
    const silent = new ServerProcess(nodeProgram(READY_AND_WAIT));
    await expect(silent.ready(() => false, 50)).rejects.toThrow("not ready within");
    await silent.exited;
  });

  it("kills a program that doesn't hear the polite signal", async () => {
    const lines: string[] = [];
    const deaf = new ServerProcess({
      ...nodeProgram(DEAF),
      stopLimitMs: 100,
      onLine: (line) => lines.push(line),
    });
    await deaf.ready(() => lines.includes("ready"), 10_000);
    await deaf.stop();
    expect(isAlive(deaf.pid)).toBe(false);
  });

  it("stops a program that is paused", async () => {
    const lines: string[] = [];
    const paused = new ServerProcess({
      ...nodeProgram(READY_AND_WAIT),
      onLine: (line) => lines.push(line),
    });
    await paused.ready(() => lines.includes("ready"), 10_000);
    paused.pause();
    await paused.stop();
    expect(paused.hasExited).toBe(true);
  });
});

describe("a supervised process", () => {
  it("is there again after kill -9", async () => {
    const back = Promise.withResolvers<number>();
    const supervisor = new Supervisor({ events: { back: (_name, pid) => back.resolve(pid) } });
    const options = { ...nodeProgram(READY_AND_WAIT), readyLimitMs: 10_000 };
    await supervisor.start(processPart({ ...options, isReadyLine: (line) => line === "ready" }));
    const first = supervisor.pidOf("a program") ?? 0;
    process.kill(first, "SIGKILL");
    const second = await back.promise;
    expect(second).not.toBe(first);
    expect(isAlive(second)).toBe(true);
    await supervisor.stop();
    expect(isAlive(second)).toBe(false);
  });

  it("ends when the process that started it is killed", async () => {
    const file = pidFile(folder, "orphan");
    const script = join(folder, "parent.ts");
    const index = join(REPOSITORY_ROOT, "packages", "local", "src", "index.ts");
    writeFileSync(
      script,
      `import { ServerProcess } from ${JSON.stringify(index)};
       new ServerProcess({ ...${JSON.stringify(nodeProgram(READY_AND_WAIT))}, pidFile: ${JSON.stringify(file)} });
       setInterval(() => {}, 1e6);`,
    );
    const parent = spawn(process.execPath, [script], { stdio: "inherit" });
    await until(() => livingPid(file) !== undefined);
    const orphan = livingPid(file) ?? 0;
    parent.kill("SIGKILL");
    await once(parent, "exit");
    await until(() => !isAlive(orphan));
  });
});

describe("endLeftovers", () => {
  it("ends what an earlier run left behind, deaf programs too", async () => {
    const run = join(folder, "left");
    const lines: string[] = [];
    const deaf = new ServerProcess({ ...nodeProgram(DEAF), onLine: (line) => lines.push(line) });
    await deaf.ready(() => lines.includes("ready"), 10_000);
    recordPid(pidFile(run, "deaf"), deaf.pid, "TERM");
    expect(await endLeftovers(run, 100)).toEqual([{ name: "deaf", pid: deaf.pid }]);
    await deaf.exited;
    expect(existsSync(pidFile(run, "deaf"))).toBe(false);
  });

  it("leaves a stranger alone that has the same id now", async () => {
    const run = join(folder, "stranger");
    recordPid(pidFile(run, "old"), process.pid, "KILL");
    const record = JSON.stringify({ pid: process.pid, startedAt: "long ago", farewell: "KILL" });
    writeFileSync(pidFile(run, "old"), record);
    expect(await endLeftovers(run, 100)).toEqual([]);
    expect(isAlive(process.pid)).toBe(true);
  });

  it("has nothing to do where nothing ever ran", async () => {
    expect(await endLeftovers(join(folder, "nowhere"), 100)).toEqual([]);
  });
});
