import { InvariantError, PenstockError } from "@penstock/core";
import type { FleetLog } from "../../fleet/fleet-log.ts";
import type { SourceReference } from "../../source/open-sources.ts";
import type { ClusterAdmin, OpenClusterAdmin } from "./cluster-admin.ts";

interface Entry {
  readonly admin: ClusterAdmin;
  readonly waiting: (() => void)[];
  running: number;
  usedAtMs: number;
}

/** Questions at once to one cluster: a slow one must not hold many sockets, and never holds another one up. */
const QUESTIONS_MAX = 4;
/** A client that nobody used for so long is closed. */
const IDLE_MS = 60_000;

/**
 * Admin clients, one for each set of bootstrap servers and secrets, opened when needed and closed when idle. Every question has a time limit.
 */
export class ClusterAdmins {
  readonly #open: OpenClusterAdmin;
  readonly #answerMs: number;
  readonly #nowMs: () => number;
  readonly #log: FleetLog;
  readonly #entries = new Map<string, Entry>();

  constructor(options: {
    open: OpenClusterAdmin;
    answerMs: number;
    nowMs: () => number;
    log: FleetLog;
  }) {
    this.#open = options.open;
    this.#answerMs = options.answerMs;
    this.#nowMs = options.nowMs;
    this.#log = options.log;
  }

  /** Asks; `kafkaUnavailable` when the answer takes too long. */
  async ask<T>(source: SourceReference, question: (admin: ClusterAdmin) => Promise<T>): Promise<T> {
    const entry = this.#entryOf(source);
    if (entry.running >= QUESTIONS_MAX) {
      await new Promise<void>((resolve) => entry.waiting.push(resolve));
    } else entry.running++;
    try {
      return await this.#bounded(question(entry.admin));
    } finally {
      entry.usedAtMs = this.#nowMs();
      const next = entry.waiting.shift();
      if (next === undefined) entry.running--;
      else next();
    }
  }

  /** Closes what was not used for a while. */
  closeIdle(): void {
    for (const [key, entry] of this.#entries) {
      if (entry.running === 0 && this.#nowMs() - entry.usedAtMs > IDLE_MS) {
        this.#entries.delete(key);
        void this.#close(entry.admin);
      }
    }
  }

  async close(): Promise<void> {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.all(entries.map((entry) => this.#close(entry.admin)));
  }

  #entryOf(source: SourceReference): Entry {
    const key = keyOf(source);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      const admin = this.#open(source);
      entry = { admin, waiting: [], running: 0, usedAtMs: this.#nowMs() };
      this.#entries.set(key, entry);
    }
    return entry;
  }

  async #bounded<T>(answer: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new PenstockError("kafkaUnavailable", "the brokers do not answer in time")),
        this.#answerMs,
      );
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #close(admin: ClusterAdmin): Promise<void> {
    try {
      await admin.close();
    } catch (error) {
      if (error instanceof InvariantError) throw error;
      this.#log.warn("closing an admin client failed", { error });
    }
  }
}

/** Nobody asks with another mapping's secrets. */
function keyOf({ bootstrapServers, sourceAccess }: SourceReference): string {
  const access = sourceAccess.map(({ type, uri }) => [type, uri]);
  return JSON.stringify([[...bootstrapServers].sort(), access]);
}
