import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { GroupWorld } from "../../record-source/group-world.ts";

describe("a process that is stopped for longer than its session", () => {
  let world: GroupWorld;
  let child: ChildProcess | null = null;
  beforeAll(() => {
    world = new GroupWorld(inject("KAFKA"));
  });
  afterEach(async () => {
    child?.kill("SIGKILL");
    await world.endProbes();
  });
  afterAll(() => world.close());

  // F32 → I-5, I-18. Method: a member in its own process gets SIGSTOP, another adopts its partitions and commits, SIGCONT.
  it("F32: dispatches nothing before a heartbeat has succeeded, and commits nothing of the time before", async () => {
    const { topic, groupId } = await world.topic(2);
    const file = new URL("../../record-source/paused-member.ts", import.meta.url).pathname;
    const started = spawn(process.execPath, [file, world.bootstrapServers, topic, groupId], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    child = started;
    const lines = createInterface({ input: started.stdout })[Symbol.asyncIterator]();
    const next = async () => JSON.parse((await lines.next()).value ?? "null");
    expect(await next()).toMatchObject({ kind: "holds" });

    started.kill("SIGSTOP");
    const other = world.open({ topic, groupId });
    await other.untilHolds(2, 20_000);
    expect(await other.commit(other.assignment(0), 5n)).toBe("committed");
    expect(await other.commit(other.assignment(1), 5n)).toBe("committed");

    started.kill("SIGCONT");
    expect(await next()).toEqual({
      kind: "continued",
      mayDispatch: false,
      results: ["fenced", "fenced"],
      reasons: ["sessionPaused", "sessionPaused"],
    });
    expect(await world.committed(groupId, topic, 0)).toBe(5n);
    expect(await world.committed(groupId, topic, 1)).toBe(5n);
    expect(await next()).toEqual({ kind: "rejoined" });
    await other.untilHolds(1);

    started.kill("SIGTERM");
    const [code] = await once(started, "exit");
    expect(code).toBe(0);
    await other.untilHolds(2);
  });
});
