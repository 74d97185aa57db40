/**
 * The record source of either driver: membership, start positions, fetching and commits of one member, put together.
 *
 *   assigned ─▶ starting ─(start known)▶ live ──revoking──▶ draining ──release──▶ gone
 *                  └──────── revoked or lost: gone, and the event poller never hears of it ────────┘
 *
 * Always true: events are synchronous; none is delivered for an assignment that the event poller doesn't hold (not yet adopted,
 * released or lost), nor records for one that drains; memory of records that nobody may have is released here.
 */
import {
  type Assignment,
  type CommitResult,
  type LostReason,
  type MembershipState,
  type OffsetCommit,
  type PartitionStart,
  PenstockError,
  type RecordBatch,
  type RecordSource,
  type RecordSourceEvents,
} from "@penstock/core";
import type { LogEnds } from "../cluster/log-ends.ts";
import type { Membership, MembershipEvents } from "../group/membership.ts";
import { OffsetCommitter, type OffsetCommitterOptions } from "../group/offset-committer.ts";
import type { OpenFetcher, PartitionFetcher, PartitionFetcherEvents } from "./partition-fetcher.ts";
import { ProblemBoard } from "./problem-board.ts";
import { type ReadStarts, StartReader } from "./start-reader.ts";

type Stage = "starting" | "live" | "draining";

/** What a driver brings. */
export interface RecordSourceParts {
  readonly groupId: string;
  readonly openMembership: (events: MembershipEvents) => Membership & { start(): void };
  readonly openFetcher: OpenFetcher;
  readonly sendCommit: OffsetCommitterOptions["send"];
  readonly coordinatorElsewhere: () => void;
  readonly readStarts: ReadStarts;
  /** Tells what is wrong with the topic, until it is stopped. */
  readonly watchTopic: (tell: (problem: PenstockError | null) => void) => TopicLook;
  /** Told one by one as they come. Rejects when metadata can't be had. */
  readonly readEnds: (
    partitions: readonly number[],
    told: (partition: number, ends: LogEnds | PenstockError) => void,
  ) => Promise<void>;
  /** Called once, when the member has left and nothing is fetched any more. */
  readonly closed: () => void | Promise<void>;
}

export interface TopicLook {
  /** What is known may be old. */
  lookAgain(): void;
  stop(): void;
}

export class MemberRecordSource implements RecordSource {
  readonly #parts: RecordSourceParts;
  readonly #events: RecordSourceEvents;
  readonly #stages = new Map<Assignment, Stage>();
  /** Brokers before Fetch version 5 tell the start of a log only when they are asked for it. */
  readonly #logStarts = new Map<Assignment, bigint>();
  readonly #problems: ProblemBoard;
  readonly #membership: Membership;
  readonly #fetcher: PartitionFetcher;
  readonly #committer: OffsetCommitter;
  readonly #starts: StartReader;
  readonly #topicLook: TopicLook;
  #isRefreshing = false;
  #ending: Promise<void> | null = null;

  constructor(parts: RecordSourceParts, events: RecordSourceEvents) {
    const { groupId, sendCommit, coordinatorElsewhere, readStarts } = parts;
    this.#parts = parts;
    this.#events = events;
    this.#problems = new ProblemBoard((problem) => events.problem(problem));
    const membership = parts.openMembership(this.#membershipEvents());
    this.#membership = membership;
    this.#fetcher = parts.openFetcher(this.#fetcherEvents());
    this.#committer = new OffsetCommitter({
      groupId,
      membership,
      send: sendCommit,
      elsewhere: coordinatorElsewhere,
      problem: (problem) => this.#problem("commit", problem),
    });
    this.#starts = new StartReader({
      readStarts,
      membership,
      commitsIdle: () => this.#committer.idle(),
      isWanted: (assignment) => this.#stages.get(assignment) === "starting",
      found: (assignment, start) => this.#found(assignment, start),
      problem: (problem) => this.#problem("start", problem),
    });
    this.#topicLook = parts.watchTopic((problem) => this.#problem("topic", problem));
    membership.start();
  }

  get memberId(): string {
    return this.#membership.memberId;
  }

  fetch(assignment: Assignment, position: bigint): void {
    if (this.#stages.get(assignment) === "live") this.#fetcher.set(assignment, position);
  }

  pause(assignment: Assignment): void {
    if (this.#stages.get(assignment) === "live") this.#fetcher.pause(assignment);
  }

  resume(assignment: Assignment): void {
    if (this.#stages.get(assignment) === "live") this.#fetcher.resume(assignment);
  }

  commit(commits: readonly OffsetCommit[]): Promise<readonly CommitResult[]> {
    return this.#committer.commit(commits);
  }

  release(assignment: Assignment): void {
    if (!this.#forget(assignment)) return;
    this.#fetcher.remove(assignment);
    this.#membership.release(assignment);
  }

  mayDispatch(): boolean {
    return this.#membership.mayDispatch();
  }

  refreshEnds(assignments: readonly Assignment[]): void {
    const wanted = new Map<number, Assignment>();
    for (const assignment of assignments)
      if (this.#isHeld(assignment)) wanted.set(assignment.partition, assignment);
    if (this.#isRefreshing || wanted.size === 0) return;
    this.#isRefreshing = true;
    const told = (partition: number, ends: LogEnds | PenstockError) => {
      const assignment = wanted.get(partition);
      if (!assignment || ends instanceof PenstockError || !this.#isHeld(assignment)) return;
      this.#logEnds(assignment, ends.logStart, ends.logEnd, ends.highWatermark);
    };
    this.#parts
      .readEnds([...wanted.keys()], told)
      .catch((error) => {
        // Ends that can't be had now are asked for again; what is wrong shows elsewhere (topic, fetch).
        if (!(error instanceof PenstockError)) throw error;
      })
      .finally(() => {
        this.#isRefreshing = false;
      });
  }

  expectChange(durationMs: number): void {
    this.#membership.expectChange(durationMs);
  }

  close(isRestart = false): Promise<void> {
    this.#topicLook.stop();
    this.#ending ??= this.#leave(isRestart);
    return this.#ending;
  }

  abort(): void {
    this.#topicLook.stop();
    this.#membership.abort();
    this.#ending ??= this.#end();
  }

  async #leave(isRestart: boolean): Promise<void> {
    await this.#membership.leave(isRestart);
    await this.#end();
  }

  async #end(): Promise<void> {
    // A commit that is still on its way is of a dead assignment: its answer decides nothing.
    await this.#fetcher.close();
    await this.#parts.closed();
  }

  #isHeld(assignment: Assignment): boolean {
    const stage = this.#stages.get(assignment);
    return stage === "live" || stage === "draining";
  }

  /** What its commits suffered from ends with an assignment; if others suffer too, their next commits say so. */
  #forget(assignment: Assignment): boolean {
    this.#problem("commit", null);
    this.#logStarts.delete(assignment);
    return this.#stages.delete(assignment);
  }

  #problem(part: Parameters<ProblemBoard["set"]>[0], problem: PenstockError | null): void {
    if (!this.#ending) this.#problems.set(part, problem);
  }

  #found(assignment: Assignment, start: PartitionStart): void {
    this.#stages.set(assignment, "live");
    this.#logStarts.set(assignment, start.logStart);
    this.#events.adopted(assignment, start);
  }

  /** `told` is below 0 when the answer didn't say it. */
  #logEnds(assignment: Assignment, told: bigint, logEnd: bigint, highWatermark: bigint): void {
    const logStart = told >= 0n ? told : (this.#logStarts.get(assignment) ?? 0n);
    this.#logStarts.set(assignment, logStart);
    this.#events.logEnds(assignment, logStart, logEnd, highWatermark);
  }

  #membershipEvents(): MembershipEvents {
    return {
      assigned: (assignment) => {
        this.#stages.set(assignment, "starting");
        this.#starts.add(assignment);
      },
      revoking: (assignment, deadlineMs) => {
        if (this.#stages.get(assignment) === "starting") {
          this.release(assignment);
          return;
        }
        this.#stages.set(assignment, "draining");
        this.#fetcher.remove(assignment);
        this.#events.revoking(assignment, deadlineMs);
        // The last one: perhaps others need it, perhaps the topic is gone.
        const isKeeping = [...this.#stages.values()].some((stage) => stage !== "draining");
        if (!isKeeping && !this.#ending) this.#topicLook.lookAgain();
      },
      lost: (assignment, reason: LostReason) => {
        const isHeld = this.#isHeld(assignment);
        this.#forget(assignment);
        if (!isHeld) return;
        this.#fetcher.remove(assignment);
        this.#events.lost(assignment, reason);
      },
      changed: (state: MembershipState) => this.#events.membership(state),
      problem: (problem) => this.#problem("membership", problem),
    };
  }

  #fetcherEvents(): PartitionFetcherEvents {
    const isLive = (assignment: Assignment) => this.#stages.get(assignment) === "live";
    return {
      records: (assignment: Assignment, batches: readonly RecordBatch[]) => {
        if (isLive(assignment)) this.#events.records(assignment, batches);
        else for (const batch of batches) batch.memory.release();
      },
      logEnds: (assignment, logStart, logEnd, highWatermark) => {
        if (isLive(assignment)) this.#logEnds(assignment, logStart, logEnd, highWatermark);
      },
      responseEnd: () => this.#events.responseEnd(),
      outOfRange: (assignment, position, logStart, logEnd) => {
        if (isLive(assignment)) this.#events.outOfRange(assignment, position, logStart, logEnd);
      },
      undecodable: (assignment, from, to, reason) => {
        if (isLive(assignment)) this.#events.undecodable(assignment, from, to, reason);
      },
      problem: (problem) => this.#problem("fetch", problem),
    };
  }
}
