import { describe, expect, it } from "vitest";
import { createLogger } from "../logs/logger.ts";
import type { Service, StartContext } from "./service.ts";
import { ServiceLife } from "./service-life.ts";

const log = createLogger({ service: "test", destination: { write: () => {} } });

function world(shutdownDeadlineMs = 60_000) {
  let resolveExit: (exit: { code: number; isUrgent: boolean }) => void = () => {};
  const exits: { code: number; isUrgent: boolean }[] = [];
  const exited = new Promise<{ code: number; isUrgent: boolean }>((resolve) => {
    resolveExit = resolve;
  });
  const life = new ServiceLife({
    log,
    env: {},
    shutdownDeadlineMs,
    exit: (code, isUrgent) => {
      exits.push({ code, isUrgent });
      resolveExit({ code, isUrgent });
    },
  });
  return { life, exited, exits };
}

function service(stop: () => Promise<void> = () => Promise.resolve()): Service {
  return { grpc: "127.0.0.1:1", http: "127.0.0.1:2", stop };
}

const never = new Promise<never>(() => {});

describe("ServiceLife", () => {
  it("F80, L-3: stops the service on a signal and exits 0", async () => {
    const { life, exited } = world();
    let stops = 0;
    await life.run(async () => service(async () => void stops++));
    life.signal("SIGTERM");
    expect(await exited).toEqual({ code: 0, isUrgent: false });
    expect(stops).toBe(1);
  });

  it("F80: a signal during the start aborts it, and stops what came up anyway", async () => {
    const { life, exited } = world();
    let stops = 0;
    const running = life.run(
      ({ signal }) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => resolve(service(async () => void stops++)));
        }),
    );
    life.signal("SIGINT");
    await running;
    expect((await exited).code).toBe(0);
    expect(stops).toBe(1);
  });

  it("F80: a start that gives up because of the signal is a clean end", async () => {
    const { life, exited } = world();
    const running = life.run(async ({ signal }: StartContext) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      throw signal.reason;
    });
    life.signal("SIGTERM");
    await running;
    expect((await exited).code).toBe(0);
  });

  it("F80: a second signal ends the process at once", async () => {
    const { life, exited, exits } = world();
    await life.run(async () => service(() => never));
    life.signal("SIGTERM");
    expect(exits).toEqual([]);
    life.signal("SIGTERM");
    expect(await exited).toEqual({ code: 1, isUrgent: true });
  });

  it("L-3: the deadline ends a stop that hangs", async () => {
    const { life, exited } = world(5);
    await life.run(async () => service(() => never));
    life.signal("SIGTERM");
    expect(await exited).toEqual({ code: 1, isUrgent: true });
  });

  it("L-3: the deadline ends a start that hangs", async () => {
    const { life, exited } = world(5);
    void life.run(() => never);
    life.signal("SIGTERM");
    expect(await exited).toEqual({ code: 1, isUrgent: true });
  });

  it("exits 1 when the start or the stop fails", async () => {
    const start = world();
    await start.life.run(() => Promise.reject(new Error("no")));
    expect((await start.exited).code).toBe(1);
    const stop = world();
    await stop.life.run(async () => service(() => Promise.reject(new Error("no"))));
    stop.life.signal("SIGTERM");
    expect((await stop.exited).code).toBe(1);
  });

  it("F89: a bug ends the process at once with 70, also while stopping, and only once", async () => {
    const { life, exited, exits } = world();
    await life.run(async () => service(() => never));
    life.signal("SIGTERM");
    life.bug(new Error("bug"), "unhandledRejection");
    life.bug(new Error("another"), "uncaughtException");
    expect(await exited).toEqual({ code: 70, isUrgent: true });
    expect(exits).toHaveLength(1);
  });
});
