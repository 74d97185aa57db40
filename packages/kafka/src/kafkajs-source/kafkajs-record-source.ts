/**
 * The record source over kafkajs: eager membership, start positions, fetching and commits of one member, put together. The stages of an assignment are those of the
 * native source:
 *
 *   assigned ─▶ starting ─(start known)▶ live ──revoking──▶ draining ──release──▶ gone
 *                  └──────── revoked or lost: gone, and the event poller never hears of it ────────┘
 *
 * Always true: events are synchronous; none is delivered for an assignment that the event poller doesn't hold, nor records for one that drains; a commit is
 * sent only for an alive assignment and under its own generation, so work of an old one is refused here and by the coordinator (K-1, I-5).
 *
 * Duplicates: a rebalance asks all partitions back and waits until their calls end and are committed, so it repeats nothing when they end within the drain limit. Otherwise,
 * and after a crash or a lost session, what was dispatched and not committed is given again: per partition at most the batches in flight and what
 * settled since the last acknowledged commit.
 */
import {
  type Assignment,
  type Clock,
  type CommitResult,
  type LostReason,
  type MembershipState,
  type OffsetCommit,
  type PartitionStart,
  PenstockError,
  type RecordSource,
  type RecordSourceEvents,
  type RecordSourceOptions,
} from "@penstock/core";
import type { MembershipEvents } from "../group/membership.ts";
import { OffsetCommitter } from "../group/offset-committer.ts";
import type { PartitionFetcherEvents } from "../source/partition-fetcher.ts";
import { ProblemBoard } from "../source/problem-board.ts";
import type { KafkajsClient } from "./client/kafkajs-client.ts";
import { KafkajsFetcher } from "./fetch/kafkajs-fetcher.ts";
import { EagerMembership } from "./group/eager-membership.ts";
import { GroupRequests } from "./group/group-requests.ts";
import { commitOffsets } from "./start/group-offsets.ts";
import { readEnds } from "./start/log-ends.ts";
import { StartReader } from "./start/start-reader.ts";
import { TopicLook } from "./start/topic-look.ts";

type Stage = "starting" | "live" | "draining";

export interface KafkajsRecordSourceParts {
  readonly client: KafkajsClient;
  readonly clock: Clock;
  readonly sessionTimeoutMs: number;
  readonly fetchMaxWaitMs: number;
}

export class KafkajsRecordSource implements RecordSource {
  readonly #parts: KafkajsRecordSourceParts;
  readonly #events: RecordSourceEvents;
  readonly #stages = new Map<Assignment, Stage>();
  /** Brokers before Fetch version 5 tell the log start only when they are asked for it. */
  readonly #logStarts = new Map<Assignment, bigint>();
  readonly #problems: ProblemBoard;
  readonly #membership: EagerMembership;
  readonly #fetcher: KafkajsFetcher;
  readonly #committer: OffsetCommitter;
  readonly #starts: StartReader;
  readonly #topicLook: TopicLook;
  #isRefreshing = false;
  #ending: Promise<void> | null = null;

  constructor(
    parts: KafkajsRecordSourceParts,
    options: RecordSourceOptions,
    events: RecordSourceEvents,
  ) {
    const { client, clock, sessionTimeoutMs } = parts;
    const { groupId, drainLimitMs } = options;
    this.#parts = parts;
    this.#events = events;
    this.#problems = new ProblemBoard((problem) => events.problem(problem));
    const requests = new GroupRequests(client, groupId);
    const membership = new EagerMembership(
      { client, requests, groupId, drainLimitMs, sessionTimeoutMs, clock },
      this.#membershipEvents(),
    );
    this.#membership = membership;
    this.#fetcher = new KafkajsFetcher(
      { ...options, client, clock, maxWaitMs: parts.fetchMaxWaitMs },
      this.#fetcherEvents(),
    );
    this.#committer = new OffsetCommitter({
      groupId,
      membership,
      send: (to, rows) => commitOffsets(client, requests, to, rows),
      elsewhere: () => requests.elsewhere(),
      problem: (problem) => this.#problem("commit", problem),
    });
    this.#starts = new StartReader({
      client,
      requests,
      groupId,
      commitsIdle: () => this.#committer.idle(),
      isWanted: (assignment) => this.#stages.get(assignment) === "starting",
      found: (assignment, start) => this.#found(assignment, start),
      problem: (problem) => this.#problem("start", problem),
    });
    this.#topicLook = new TopicLook(client, (problem) => this.#problem("topic", problem));
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
    readEnds(this.#parts.client, [...wanted.keys()])
      .then((found) => {
        for (const [partition, ends] of found) {
          const assignment = wanted.get(partition);
          if (!assignment || ends instanceof PenstockError || !this.#isHeld(assignment)) continue;
          this.#logEnds(assignment, ends.logStart, ends.logEnd, ends.highWatermark);
        }
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

  close(): Promise<void> {
    this.#topicLook.stop();
    this.#ending ??= this.#membership.leave().then(() => this.#end());
    return this.#ending;
  }

  abort(): void {
    this.#topicLook.stop();
    this.#membership.abort();
    this.#ending ??= this.#membership.left().then(() => this.#end());
  }

  /** K-11: nothing that kafkajs does is waited for. */
  async #end(): Promise<void> {
    await this.#fetcher.close();
    this.#parts.client.destroy();
  }

  #isHeld(assignment: Assignment): boolean {
    const stage = this.#stages.get(assignment);
    return stage === "live" || stage === "draining";
  }

  #isLive(assignment: Assignment): boolean {
    return this.#stages.get(assignment) === "live";
  }

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
    return {
      records: (assignment, batches) => {
        if (this.#isLive(assignment)) this.#events.records(assignment, batches);
        else for (const batch of batches) batch.memory.release();
      },
      logEnds: (assignment, logStart, logEnd, highWatermark) => {
        if (this.#isLive(assignment)) this.#logEnds(assignment, logStart, logEnd, highWatermark);
      },
      responseEnd: () => this.#events.responseEnd(),
      outOfRange: (assignment, position, logStart, logEnd) => {
        if (this.#isLive(assignment))
          this.#events.outOfRange(assignment, position, logStart, logEnd);
      },
      undecodable: (assignment, from, to, reason) => {
        if (this.#isLive(assignment)) this.#events.undecodable(assignment, from, to, reason);
      },
      problem: (problem) => this.#problem("fetch", problem),
    };
  }
}
