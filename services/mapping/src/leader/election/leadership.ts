import { createElection, type Database, type Election } from "@penstock/postgres";
import type { FleetLog } from "../../fleet/fleet-log.ts";
import { RepeatingTask } from "../../fleet/repeating-task.ts";
import { Term } from "./term.ts";

export interface LeadershipOptions {
  readonly db: Database;
  readonly leaderId: string;
  readonly leaseMs: number;
  readonly renewIntervalMs: number;
  readonly nowMs: () => number;
  readonly log: FleetLog;
  readonly onGained: (term: Term) => void;
  readonly onLost: () => void;
}

/**
 * This replica's part in the election.
 *
 *   following ─(lease free)─▶ leading ─(renewed in time)─▶ leading
 *       ▲                        │ refused, or the lease ran out before an answer came
 *       └────────────────────────┘
 *
 * After a lapse it never goes on with the old term, even when nobody else took over: it is elected anew.
 */
export class Leadership {
  readonly #options: LeadershipOptions;
  readonly #election: Election;
  readonly #task: RepeatingTask;
  #term: Term | null = null;

  constructor(options: LeadershipOptions) {
    this.#options = options;
    this.#election = createElection(options.db);
    this.#task = new RepeatingTask({
      name: "election",
      intervalMs: options.renewIntervalMs,
      log: options.log,
      work: () => this.#step(),
      onFailure: () => {
        if (this.#term !== null && !this.#term.isValid) this.#lose("no answer of the database");
      },
    });
  }

  get isLeader(): boolean {
    return this.#term?.isValid ?? false;
  }

  start(): void {
    this.#task.start();
  }

  /** Gives the lead back, so that another replica need not wait for the lease to run out. */
  async stop(): Promise<void> {
    await this.#task.stop();
    const term = this.#term;
    if (term === null) return;
    this.#lose("stopping");
    try {
      await this.#election.resign(term.number);
    } catch (error) {
      this.#options.log.info("the lead could not be given back; its lease runs out", { error });
    }
  }

  async #step(): Promise<void> {
    const { leaderId, leaseMs, nowMs, db, log, onGained } = this.#options;
    if (this.#term !== null && !this.#term.isValid) this.#lose("the lease ran out");
    const validUntilMs = nowMs() + leaseMs;
    if (this.#term !== null) {
      if (await this.#election.renew(this.#term.number, leaseMs)) this.#term.extend(validUntilMs);
      else this.#lose("another replica leads");
      return;
    }
    const number = await this.#election.tryAcquire(leaderId, leaseMs);
    if (number === null) return;
    this.#term = new Term(db, number, nowMs, validUntilMs);
    log.info("leading", { term: String(number) });
    onGained(this.#term);
  }

  #lose(reason: string): void {
    const term = this.#term;
    if (term === null) return;
    term.end();
    this.#term = null;
    this.#options.log.warn("not leading any more", { term: String(term.number), reason });
    this.#options.onLost();
  }
}
