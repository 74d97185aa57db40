/**
 * The record source over our own protocol code: membership, start positions, fetching and commits of one member, put together.
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
import type { Cluster } from "../cluster/cluster.ts";
import { readLogEnds } from "../cluster/log-ends.ts";
import type { Membership, MembershipEvents } from "../group/membership.ts";
import { OffsetCommitter } from "../group/offset-committer.ts";
import { sendOffsetCommit } from "../group/offset-wire.ts";
import type { OpenFetcher, PartitionFetcher, PartitionFetcherEvents } from "./partition-fetcher.ts";
import { ProblemBoard } from "./problem-board.ts";
import { StartReader } from "./start-reader.ts";
import { TopicWatch } from "./topic-watch.ts";

type Stage = "starting" | "live" | "draining";

export interface NativeRecordSourceParts {
  readonly cluster: Cluster;
  readonly topic: string;
  readonly groupId: string;
  readonly openMembership: (events: MembershipEvents) => Membership & { start(): void };
  readonly openFetcher: OpenFetcher;
  /** Called once, when everything is closed. */
  readonly closed: () => void;
}

export class NativeRecordSource implements RecordSource {
  readonly #parts: NativeRecordSourceParts;
  readonly #events: RecordSourceEvents;
  readonly #stages = new Map<Assignment, Stage>();
  readonly #problems: ProblemBoard;
  readonly #membership: Membership;
  readonly #fetcher: PartitionFetcher;
  readonly #committer: OffsetCommitter;
  readonly #starts: StartReader;
  readonly #topicWatch: TopicWatch;
  #isRefreshing = false;
  #ending: Promise<void> | null = null;

  constructor(parts: NativeRecordSourceParts, events: RecordSourceEvents) {
    const { cluster, topic, groupId } = parts;
    this.#parts = parts;
    this.#events = events;
    this.#problems = new ProblemBoard((problem) => events.problem(problem));
    const membership = parts.openMembership(this.#membershipEvents());
    this.#membership = membership;
    this.#fetcher = parts.openFetcher(this.#fetcherEvents());
    this.#committer = new OffsetCommitter({
      groupId,
      membership,
      send: async (to, rows) => {
        const nodeId = await cluster.coordinator(groupId);
        const connection = await cluster.brokerConnection(nodeId, "commit");
        return sendOffsetCommit(cluster, connection, to, rows);
      },
      elsewhere: () => cluster.invalidateCoordinator(groupId),
      problem: (problem) => this.#problem("commit", problem),
    });
    this.#starts = new StartReader({
      cluster,
      groupId,
      topic,
      membership,
      commitsIdle: () => this.#committer.idle(),
      isWanted: (assignment) => this.#stages.get(assignment) === "starting",
      found: (assignment, start) => this.#found(assignment, start),
      problem: (problem) => this.#problem("start", problem),
    });
    this.#topicWatch = new TopicWatch(cluster, topic, (problem) => this.#problem("topic", problem));
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
    const { cluster, topic } = this.#parts;
    readLogEnds(cluster, topic, [...wanted.keys()], (partition, ends) => {
      const assignment = wanted.get(partition);
      if (!assignment || ends instanceof PenstockError || !this.#isHeld(assignment)) return;
      this.#events.logEnds(assignment, ends.logStart, ends.logEnd, ends.highWatermark);
    })
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
    this.#topicWatch.stop();
    this.#ending ??= this.#leave(isRestart);
    return this.#ending;
  }

  abort(): void {
    this.#topicWatch.stop();
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
    this.#parts.closed();
  }

  #isHeld(assignment: Assignment): boolean {
    const stage = this.#stages.get(assignment);
    return stage === "live" || stage === "draining";
  }

  /** What its commits suffered from ends with an assignment; if others suffer too, their next commits say so. */
  #forget(assignment: Assignment): boolean {
    this.#problem("commit", null);
    return this.#stages.delete(assignment);
  }

  #problem(part: Parameters<ProblemBoard["set"]>[0], problem: PenstockError | null): void {
    if (!this.#ending) this.#problems.set(part, problem);
  }

  #found(assignment: Assignment, start: PartitionStart): void {
    this.#stages.set(assignment, "live");
    this.#events.adopted(assignment, start);
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
        if (!isKeeping && !this.#ending) this.#topicWatch.lookAgain();
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
        if (isLive(assignment)) this.#events.logEnds(assignment, logStart, logEnd, highWatermark);
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
