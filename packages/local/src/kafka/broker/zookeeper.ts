/**
 * The ZooKeeper of the versions that need one: a process of its own from the same jars, on loopback, for the brokers of one test
 * or one cluster.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { PenstockError } from "@penstock/core";
import { ServerProcess } from "../../process/server-process.ts";
import { findJava, javaArguments } from "../jars/java.ts";
import type { KafkaFiles } from "../jars/kafka-jars.ts";

const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 5_000;
const ANSWER_LIMIT_MS = 2_000;
const POLL_MS = 50;
const HEAP_MB = 64;

export interface ZooKeeperOptions {
  readonly files: KafkaFiles;
  readonly folder: string;
  readonly port: number;
  readonly pidFile?: string | undefined;
  readonly log?: ((line: string) => void) | undefined;
}

export class ZooKeeper {
  readonly #options: ZooKeeperOptions;
  #process: ServerProcess | undefined;

  constructor(options: ZooKeeperOptions) {
    this.#options = options;
  }

  /** Starts it unless it runs, and waits until it serves. */
  async start(): Promise<void> {
    if (this.#process !== undefined && !this.#process.hasExited) return;
    const { files, folder, port, pidFile, log } = this.#options;
    mkdirSync(folder, { recursive: true });
    const settings = join(folder, "zookeeper.properties");
    const lines = {
      dataDir: join(folder, "zookeeper"),
      clientPort: port,
      clientPortAddress: "127.0.0.1",
      // Sessions last two ticks at least and twenty at most.
      tickTime: 500,
      maxClientCnxns: 0,
      "admin.enableServer": false,
      "4lw.commands.whitelist": "ruok,dump",
    };
    writeFileSync(
      settings,
      Object.entries(lines)
        .map((entry) => `${entry.join("=")}\n`)
        .join(""),
    );
    const launched = new ServerProcess({
      name: "ZooKeeper",
      command: findJava(),
      arguments: javaArguments({
        files,
        mainClass: "org.apache.zookeeper.server.ZooKeeperServerMain",
        args: [settings],
        heapMb: HEAP_MB,
        // What was written survives a killed process without a sync.
        jvmFlags: ["-Dzookeeper.forceSync=no"],
      }),
      cwd: folder,
      farewell: "KILL",
      // It takes seconds to go politely, and keeps its data either way.
      stopSignal: "SIGKILL",
      stopLimitMs: STOP_LIMIT_MS,
      pidFile,
      onLine: log,
    });
    this.#process = launched;
    await launched.ready(async () => (await this.#command("ruok")) === "imok", START_LIMIT_MS);
  }

  /** Waits until the session of a broker that went without a word has ended: until then its id is taken. */
  async released(nodeId: number): Promise<void> {
    const deadline = performance.now() + START_LIMIT_MS;
    const place = new RegExp(`/brokers/ids/${nodeId}\\s`);
    while (place.test(`${await this.#command("dump")}\n`)) {
      if (performance.now() > deadline)
        throw new PenstockError("unavailable", `ZooKeeper keeps the session of broker ${nodeId}.`);
      await delay(POLL_MS);
    }
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  /** One of ZooKeeper's four-letter commands; empty when it can't be reached. */
  #command(word: string): Promise<string> {
    return new Promise((resolve) => {
      let answer = "";
      const socket = createConnection({ host: "127.0.0.1", port: this.#options.port });
      socket.setTimeout(ANSWER_LIMIT_MS, () => socket.destroy());
      socket.on("data", (chunk) => {
        answer += String(chunk);
      });
      socket.on("error", () => {
        // Not there: the answer stays empty.
      });
      socket.once("close", () => resolve(answer));
      socket.once("connect", () => socket.write(word));
    });
  }
}
