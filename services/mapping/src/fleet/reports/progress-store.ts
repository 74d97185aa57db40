import { InvariantError } from "@penstock/core";
import type { Database } from "@penstock/postgres";
import type { fleet } from "@penstock/proto";
import type { FleetLog } from "../fleet-log.ts";
import type { FleetSettings } from "../fleet-settings.ts";
import { isTransient } from "../is-transient.ts";
import { RepeatingTask } from "../repeating-task.ts";
import type { NodeStream } from "../streams/node-stream.ts";
import { readKnownMappings } from "./known-mappings.ts";
import { ProgressBuffer } from "./progress-buffer.ts";
import { batchOfKnown, pairsOf, type SenderReports } from "./report-batch.ts";
import { storeReports } from "./store-reports.ts";

/**
 * Takes the progress of all streams of this replica to the tables: every interval, together. While the database is away the newest of it
 * is kept; a sender is acknowledged when its report is in the tables. What a stream says waits until its node is claimed, and counts for mappings
 * that the node has (`readKnownMappings`).
 */
export class ProgressStore {
  readonly #db: Database;
  readonly #log: FleetLog;
  readonly #buffer: ProgressBuffer<NodeStream>;
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
      notesMax: settings.unstoredNotesMax,
    });
    this.#task = new RepeatingTask({
      name: "storing progress",
      intervalMs: settings.progressIntervalMs,
      log,
      work: () => this.#flush(),
    });
  }

  add(stream: NodeStream, progress: fleet.Progress): void {
    // Nobody would ever claim it.
    if (stream.outbox.isEnded && !stream.isClaimed) return;
    // A refusal is not followed by acceptance: acknowledgements count up, and would cover what was refused.
    if (this.#refused.has(stream)) return;
    for (const refused of this.#buffer.add(stream, stream.identity.nodeId, progress)) {
      this.#refused.add(refused);
    }
  }

  /** The stream is over: what it said counts only if its node was claimed. */
  ended(stream: NodeStream): void {
    if (!stream.isClaimed) this.#buffer.drop(stream);
    this.#refused.delete(stream);
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
    const taken = this.#buffer.take((stream) => stream.isClaimed);
    try {
      if (taken.size > 0) await this.#store(taken);
    } catch (error) {
      if (isTransient(error)) this.#buffer.restore(taken);
      if (isTransient(error) || error instanceof InvariantError) throw error;
      await this.#storeEach(taken);
    }
    this.#askAgain();
  }

  async #store(taken: ReadonlyMap<NodeStream, SenderReports>): Promise<void> {
    const { sql } = this.#db;
    const reports = [...taken.values()];
    const known = await readKnownMappings(sql, pairsOf(reports));
    await storeReports(sql, batchOfKnown(reports, known));
    for (const [stream, { sequence }] of taken) stream.outbox.stored(sequence);
  }

  /**
   * One after the other, because the database has refused them together: one sender's reports don't cost the others theirs. What
   * is refused alone would be refused for ever: dropped, loudly, without acknowledgement.
   */
  async #storeEach(taken: ReadonlyMap<NodeStream, SenderReports>): Promise<void> {
    const rest = new Map(taken);
    for (const [stream, reports] of taken) {
      try {
        await this.#store(new Map([[stream, reports]]));
      } catch (error) {
        if (isTransient(error)) this.#buffer.restore(rest);
        if (isTransient(error) || error instanceof InvariantError) throw error;
        this.#log.error("a node's reports can't be stored", { nodeId: reports.nodeId, error });
        this.#refused.add(stream);
      }
      rest.delete(stream);
    }
  }

  /** There is room again: a stream with a refused report ends, so that its node joins anew and reports everything. */
  #askAgain(): void {
    for (const stream of this.#refused) stream.outbox.end();
    this.#refused.clear();
  }
}
