import { InvariantError, PenstockError } from "@penstock/core";
import type { Database } from "@penstock/postgres";
import type { fleet } from "@penstock/proto";
import type { FleetLog } from "../fleet-log.ts";
import type { FleetSettings } from "../fleet-settings.ts";
import { RepeatingTask } from "../repeating-task.ts";
import type { NodeStream } from "../streams/node-stream.ts";
import { ProgressBuffer } from "./progress-buffer.ts";
import { storeReports } from "./store-reports.ts";

/**
 * Takes the progress of all streams of this replica to the tables: every interval, together. While the database is away the newest of it
 * is kept; a sender is acknowledged when its report is in the tables.
 */
export class ProgressStore {
  readonly #db: Database;
  readonly #log: FleetLog;
  readonly #buffer: ProgressBuffer;
  readonly #task: RepeatingTask;
  readonly #refused = new Set<NodeStream>();
  #waiting: (() => void)[] = [];
  #isFlushing = false;
  #isStopped = false;

  constructor(db: Database, log: FleetLog, settings: FleetSettings) {
    this.#db = db;
    this.#log = log;
    this.#buffer = new ProgressBuffer({
      partitionsMax: settings.unstoredPartitionsMax,
      gapsMax: settings.unstoredGapsMax,
    });
    this.#task = new RepeatingTask({
      name: "storing progress",
      intervalMs: settings.progressIntervalMs,
      log,
      work: () => this.#flush(),
    });
  }

  add(stream: NodeStream, progress: fleet.Progress): void {
    // A refusal is not followed by acceptance: acknowledgements count up, and would cover what was refused.
    const isTaken =
      !this.#refused.has(stream) && this.#buffer.add(stream, stream.identity.nodeId, progress);
    if (!isTaken) this.#refused.add(stream);
  }

  start(): void {
    this.#task.start();
  }

  /** Resolves when everything added before is in the tables, or never will be. */
  stored(): Promise<void> {
    const isIdle = this.#buffer.isEmpty && !this.#isFlushing;
    if (isIdle || this.#isStopped) return Promise.resolve();
    this.#task.wake();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** Stores what is there, once, if the database answers. */
  async stop(): Promise<void> {
    await this.#task.stop();
    try {
      await this.#flush();
    } catch (error) {
      if (error instanceof InvariantError) throw error;
      this.#log.warn("the last progress could not be stored; nodes report it again");
    }
    this.#isStopped = true;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async #flush(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#isFlushing = true;
    try {
      await this.#storeAll();
    } catch (error) {
      if (!this.#buffer.isEmpty) this.#waiting.unshift(...waiting.splice(0));
      throw error;
    } finally {
      this.#isFlushing = false;
      for (const resolve of waiting) resolve();
    }
  }

  async #storeAll(): Promise<void> {
    if (this.#buffer.isEmpty) {
      this.#askAgain();
      return;
    }
    const batch = this.#buffer.take();
    try {
      await storeReports(this.#db.sql, batch);
    } catch (error) {
      // A batch that the database refuses for itself would be refused for ever: dropped, loudly, without acknowledgement.
      const isTransient = error instanceof PenstockError && error.row.retry === "retry";
      if (isTransient) this.#buffer.restore(batch);
      else for (const sender of batch.sequences.keys()) this.#refused.add(sender as NodeStream);
      throw error;
    }
    for (const [sender, sequence] of batch.sequences) {
      (sender as NodeStream).outbox.stored(sequence);
    }
    this.#askAgain();
  }

  /** There is room again: a stream with a refused report ends, so that its node joins anew and reports everything. */
  #askAgain(): void {
    for (const stream of this.#refused) stream.outbox.end();
    this.#refused.clear();
  }
}
