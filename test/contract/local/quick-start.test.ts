import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { REPOSITORY_ROOT } from "@penstock/local";
import { afterAll, expect, inject, it } from "vitest";
import { DeliveryAudit } from "./delivery-audit.ts";

const folder = mkdtempSync(join(tmpdir(), "penstock-quick-start-"));
chmodSync(folder, 0o711); // the user that runs Postgres walks through it
const MAIN = join(REPOSITORY_ROOT, "packages", "local", "src", "quick-start", "main.ts");
const PORTS = ["MAPPING_GRPC", "MAPPING_HTTP", "POLLER_GRPC", "POLLER_HTTP", "INVOKER_GRPC"];
const ANY_PORT = [...PORTS, "INVOKER_HTTP", "HTTP_FUNCTION", "GRPC_FUNCTION", "KAFKA"].map(
  (name) => [`PENSTOCK_${name}_PORT`, "0"],
);
const audit = new DeliveryAudit();
const running = new Set<ChildProcess>();

afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
});

/** `npm start` without npm, in a folder of its own. */
function start(env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [MAIN], {
    env: {
      ...process.env,
      ...Object.fromEntries(ANY_PORT),
      PENSTOCK_DATA_DIR: join(folder, "data"),
      ...env,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  running.add(child);
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    audit.read(line);
    for (const look of waiting) look();
  });
  const until = (isTrue: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      child.once("exit", () => reject(new Error(`ended early:\n${lines.join("\n")}`)));
      const look = (): void => {
        if (!isTrue()) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return {
    says: (text: RegExp) => until(() => lines.some((line) => line.match(text))),
    deliveries: (count: number) => {
      const wanted = new Map([...audit.batches].map(([name, seen]) => [name, seen + count]));
      const names = ["orders-http", "orders-grpc"];
      return until(() =>
        names.every((name) => (audit.batches.get(name) ?? 0) >= (wanted.get(name) ?? count)),
      );
    },
    kill(part: string) {
      const record = readFileSync(join(folder, "data", "run", `${part}.pid`), "utf8");
      process.kill(JSON.parse(record).pid, "SIGKILL");
    },
    async stop() {
      child.kill("SIGINT");
      const [code] = await once(child, "exit");
      running.delete(child);
      return code;
    },
  };
}

it("quick start: delivers to both functions, survives kill -9, stops with 0 and resumes without loss or repetition", {
  timeout: 300_000,
}, async () => {
  const first = start();
  await first.deliveries(3);
  expect(await first.stop()).toBe(0);

  const second = start();
  await second.deliveries(2);
  expect(audit.lost).toEqual([]);
  expect(audit.repeated).toEqual([]);

  second.kill("poller");
  await second.says(/poller +is back/);
  await second.deliveries(2);
  expect(audit.lost).toEqual([]);
  expect(await second.stop()).toBe(0);
});

it("quick start: uses the brokers and the database that the environment names, and says so", {
  timeout: 300_000,
}, async () => {
  const own = start({
    KAFKA_BOOTSTRAP_SERVERS: inject("KAFKA"),
    DATABASE_URL: inject("POSTGRES"),
    PENSTOCK_DATA_DIR: join(folder, "own"),
  });
  await own.says(/Kafka .*yours \(KAFKA_BOOTSTRAP_SERVERS\)/);
  await own.says(/Postgres .*yours \(DATABASE_URL\)/);
  expect(await own.stop()).toBe(0);
});
