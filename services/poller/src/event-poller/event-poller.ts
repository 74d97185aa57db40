import {
  type Assignment,
  type FunctionSpec,
  invariant,
  type LostReason,
  type MembershipState,
  type PartitionStart,
  type PenstockError,
  type RecordBatch,
  type RecordFilter,
  type RecordSource,
  type RecordSourceEvents,
  startingOffset,
  usableCommit,
} from "@penstock/core";
import { Lane } from "../lane/lane.ts";
import type { MappingCounters } from "../node/counters.ts";
import { Committer } from "./committer.ts";
import type { EventPollerContext, GapReason } from "./context.ts";
import { Dispatcher, type DispatcherHost } from "./dispatcher.ts";
import { FlowControl } from "./flow-control.ts";
import { GapDesk } from "./gap-desk.ts";
import {
  positionAboveEnd,
  recordOverLimit,
  removedBeforeRead,
  removedUnderRetry,
  startAboveEnd,
} from "./lane-messages.ts";
import { filterOf, selectRows } from "./select-rows.ts";
import { type EventPollerSettings, pinKey } from "./settings.ts";

/**
 * One member of a mapping's consumer group, and the lanes of its partitions.
 *
 *     RecordSource ──adopted, records, revoking, lost──▶ EventPoller ─▶ Dispatcher ─▶ function
 *          ▲                                                  │  ▲           │ settled
 *          └──────── fetch, pause, release ───────────────────┘  └─ Committer ◀┘
 *
 * Always true: a partition has one lane for each assignment; a lane that was released or lost is dead and changes nothing any more; a
 * partition is released only when its lane is out of its call and its frontier is committed.
 */
export class EventPoller implements RecordSourceEvents, DispatcherHost {
  readonly #context: EventPollerContext;
  readonly #lanes = new Map<Assignment, Lane>();
  readonly #dispatcher: Dispatcher;
  readonly #committer: Committer;
  readonly #flow: FlowControl;
  readonly #gaps: GapDesk;
  readonly #counters: MappingCounters;
  readonly #source: RecordSource;
  #settings: EventPollerSettings;
  #filter: RecordFilter | null;
  #membership: MembershipState;
  #problem: PenstockError | null = null;
  #closing: Promise<void> | null = null;

  constructor(context: EventPollerContext, settings: EventPollerSettings) {
    this.#context = context;
    this.#settings = settings;
    this.#filter = filterOf(settings);
    this.#counters = context.counters.of(settings.mappingId);
    this.#dispatcher = new Dispatcher(context, this);
    this.#flow = new FlowControl(
      context,
      () => this.#source,
      () => this.#settings,
    );
    this.#gaps = new GapDesk(context, settings.mappingId);
    this.#committer = new Committer(
      context,
      () => this.#source,
      (lane) => this.#finishDrain(lane),
    );
    this.#source = context.driver.open(
      {
        bootstrapServers: settings.bootstrapServers,
        topic: settings.topic,
        groupId: settings.consumerGroupId,
        drainLimitMs: context.drainLimitMs,
        fetchBytesMax: context.fetchBytesMax,
        fetchPartitionBytesMax: context.fetchPartitionBytesMax,
        inflatedBytesMax: context.inflatedBytesMax,
        countMemory: context.memory.count,
      },
      this,
    );
    this.#membership = {
      phase: "joining",
      memberId: this.#source.memberId,
      memberEpoch: 0,
      rebalances: 0,
    };
  }

  get memberId(): string {
    return this.#source.memberId;
  }

  get state(): MembershipState {
    return this.#membership;
  }

  get presentProblem(): PenstockError | null {
    return this.#problem;
  }

  get isClosing(): boolean {
    return this.#closing !== null;
  }

  settings(): EventPollerSettings {
    return this.#settings;
  }

  lanes(): Iterable<Lane> {
    return this.#lanes.values();
  }

  mayDispatch(): boolean {
    return this.#source.mayDispatch();
  }

  expectChange(durationMs: number): void {
    this.#source.expectChange(durationMs);
  }

  /** Takes new settings of the same brokers, topic and group: in effect for every call that starts from now on. */
  apply(settings: EventPollerSettings): void {
    const before = this.#settings;
    this.#settings = settings;
    if (before.filterPatterns.join("\n") !== settings.filterPatterns.join("\n")) {
      this.#filter = filterOf(settings);
      for (const lane of this.#lanes.values()) {
        if (lane.phase.is === "starting" || lane.phase.is === "stopped") continue;
        this.#dispatcher.dissolve(lane);
        this.rewind(lane, lane.queue.headOffset);
      }
    }
    if (before.functionName !== settings.functionName) this.#dispatcher.functionChanged();
    else this.#dispatcher.tick();
  }

  functionChanged(name: string): void {
    if (name === this.#settings.functionName) this.#dispatcher.functionChanged();
  }

  /** Memory became free: paused lanes may come back. */
  memoryRelieved(): void {
    for (const lane of this.#lanes.values()) this.taken(lane);
  }

  /** Drains, commits, leaves the group. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#source.close().then(() => {
      this.#dispatcher.stop();
      this.#committer.stop();
      this.#context.reports.problem(this.#settings.mappingId, this.#settings.index, null);
    });
    return this.#closing;
  }

  /** Once a second: keeps the log ends of lanes known that are out of the fetch. */
  refresh(): void {
    const stale: Assignment[] = [];
    for (const lane of this.#lanes.values()) {
      if (lane.isPaused || lane.phase.is === "stopped") stale.push(lane.assignment);
    }
    if (stale.length > 0) this.#source.refreshEnds(stale);
  }

  // --- partitions come ---

  adopted(assignment: Assignment, start: PartitionStart): void {
    invariant(!this.#lanes.has(assignment), "a partition was adopted twice");
    const counters = this.#context.counters.partition(
      this.#settings.mappingId,
      assignment.topic,
      assignment.partition,
    );
    const lane = new Lane(assignment, start, counters, this.#context.clock.wallMs());
    this.#lanes.set(assignment, lane);
    if (usableCommit(assignment, start) !== null) {
      this.#start(lane, start, null);
      return;
    }
    const { mappingId } = this.#settings;
    const { topicId, partition } = assignment;
    void this.#context.archive(mappingId, topicId, partition).then((archived) => {
      if (!lane.isDead) this.#start(lane, start, archived);
    });
  }

  #start(lane: Lane, start: PartitionStart, archived: bigint | null): void {
    const { assignment } = lane;
    const pin = this.#settings.pinnedStarts.get(pinKey(assignment.topicId, assignment.partition));
    const decision = startingOffset(assignment, start, archived, pin ?? null);
    if (decision.do === "stop") {
      const { consumerGroupId } = this.#settings;
      const { offset, logEnd } = decision;
      this.#stop(lane, startAboveEnd(assignment, offset, logEnd, consumerGroupId));
      return;
    }
    const offset = decision.do === "start" ? decision.offset : decision.to;
    if (decision.do === "skip" && decision.source !== "pinned") {
      this.#gap(lane, decision.from, decision.to, "truncated", removedBeforeRead(assignment));
    }
    if (decision.source === "committed" && decision.do === "start") lane.committed = offset;
    lane.restartAt(offset);
    lane.frontier.passTo(offset);
    lane.enter({ is: "idle" }, this.#context.clock.wallMs());
    this.#context.history.adopted(this.memberId, assignment, offset);
    if (lane.drainUntilMs !== null) {
      this.#finishDrain(lane);
      return;
    }
    this.#source.fetch(assignment, offset);
    this.#committer.mark(lane);
  }

  // --- records ---

  records(assignment: Assignment, batches: readonly RecordBatch[]): void {
    const lane = this.#lanes.get(assignment);
    if (lane === undefined || lane.isDead || lane.drainUntilMs !== null) return;
    const { topic, partition } = assignment;
    for (const batch of batches) {
      const rows = this.#filter === null ? null : selectRows(this.#filter, batch, topic, partition);
      const filtered = rows === null ? 0 : batch.count - rows.length;
      lane.counters.polled += batch.count;
      lane.counters.filtered += filtered;
      lane.push(batch, rows);
    }
    lane.pass();
    this.#committer.mark(lane);
    this.#flow.filled(lane);
    if (lane.queue.recordCount >= this.#settings.batchSize) this.#dispatcher.consider(lane);
  }

  responseEnd(): void {
    this.#dispatcher.tick();
  }

  logEnds(assignment: Assignment, logStart: bigint, logEnd: bigint, highWatermark: bigint): void {
    const lane = this.#lanes.get(assignment);
    if (lane === undefined) return;
    if (lane.logEnd !== logEnd) lane.hasChanged = true;
    lane.logStart = logStart;
    lane.logEnd = logEnd;
    lane.highWatermark = highWatermark;
    const { phase } = lane;
    if (phase.is !== "waiting" || phase.why !== "retry" || logStart <= lane.frontier.next) return;
    this.#dispatcher.dissolve(lane);
    this.#skipTo(lane, logStart);
    this.#dispatcher.consider(lane);
  }

  outOfRange(assignment: Assignment, position: bigint, logStart: bigint, logEnd: bigint): void {
    const lane = this.#lanes.get(assignment);
    if (lane === undefined || lane.isDead) return;
    if (position > logEnd) {
      this.#stop(lane, positionAboveEnd(assignment, position, logEnd));
      return;
    }
    if (position < logStart) {
      this.#pushGap(lane, position, logStart, "truncated", removedBeforeRead(assignment));
    }
    this.#source.fetch(assignment, position < logStart ? logStart : position);
  }

  undecodable(assignment: Assignment, from: bigint, to: bigint, reason: string): void {
    const lane = this.#lanes.get(assignment);
    if (lane === undefined || lane.isDead) return;
    this.#pushGap(lane, from, to, "undecodable", reason);
    this.#source.fetch(assignment, to);
  }

  // --- partitions go ---

  revoking(assignment: Assignment, deadlineMs: number): void {
    const lane = this.#lanes.get(assignment);
    if (lane === undefined || lane.isDead) {
      this.#source.release(assignment);
      return;
    }
    lane.drainUntilMs = deadlineMs;
    lane.queue.clear();
    this.#finishDrain(lane);
  }

  lost(assignment: Assignment, reason: LostReason): void {
    const lane = this.#lanes.get(assignment);
    if (lane === undefined) return;
    this.#context.log.info("partition lost", {
      topic: assignment.topic,
      partition: assignment.partition,
      epoch: assignment.epoch,
      reason,
    });
    this.#end(lane, `lost:${reason}`);
  }

  problem(problem: PenstockError | null): void {
    this.#problem = problem;
    this.#context.reports.problem(this.#settings.mappingId, this.#settings.index, problem);
  }

  membership(state: MembershipState): void {
    this.#counters.rebalances += Math.max(0, state.rebalances - this.#membership.rebalances);
    this.#membership = state;
    this.#context.reports.changed();
    this.#dispatcher.tick();
  }

  // --- the dispatcher's host ---

  taken(lane: Lane): void {
    this.#flow.drained(lane);
  }

  settled(lane: Lane): void {
    if (lane.drainUntilMs !== null) {
      this.#finishDrain(lane);
      return;
    }
    this.#committer.mark(lane);
    this.taken(lane);
    this.#dispatcher.consider(lane);
  }

  recordTooLarge(lane: Lane, spec: FunctionSpec): void {
    const from = lane.queue.headOffset;
    const slice = lane.queue.takeOne();
    invariant(slice !== null, "a lane without records sent one that is too large");
    if (slice.to === slice.entry.length) slice.entry.batch.memory.release();
    this.#gap(lane, from, from + 1n, "recordTooLarge", recordOverLimit(spec));
    lane.pass();
    this.#committer.mark(lane);
    this.taken(lane);
  }

  rewind(lane: Lane, offset: bigint): void {
    lane.restartAt(offset);
    lane.isPaused = false;
    if (lane.drainUntilMs === null) this.#source.fetch(lane.assignment, offset);
  }

  // --- inside ---

  /** Skips what retention removed while it was under retry. */
  #skipTo(lane: Lane, offset: bigint): void {
    const from = lane.frontier.next;
    while (lane.queue.recordCount > 0 && lane.queue.headOffset < offset) {
      const slice = lane.queue.takeOne();
      if (slice !== null && slice.to === slice.entry.length) slice.entry.batch.memory.release();
    }
    if (lane.queue.nextOffset < offset) this.rewind(lane, offset);
    this.#gap(lane, from, offset, "truncatedUnderRetry", removedUnderRetry(lane.assignment));
    lane.pass();
    this.#committer.mark(lane);
  }

  /** A gap at the end of what was fetched: it is passed when everything before it is settled. */
  #pushGap(lane: Lane, from: bigint, to: bigint, reason: GapReason, message: string): void {
    this.#gap(lane, from, to, reason, message);
    lane.queue.skip(to);
    lane.pass();
    this.#committer.mark(lane);
  }

  #gap(lane: Lane, from: bigint, to: bigint, reason: GapReason, message: string): void {
    this.#gaps.record(this.memberId, lane, from, to, reason, message);
  }

  #stop(lane: Lane, reason: string): void {
    lane.lastError = reason;
    lane.hasChanged = true;
    lane.enter({ is: "stopped", reason }, this.#context.clock.wallMs());
    this.#context.reports.result(this.#settings.mappingId, `PROBLEM: ${reason}`, 0);
    if (lane.drainUntilMs !== null) this.#finishDrain(lane);
  }

  /** Releases a partition that is wanted back, once its lane is out of its call and committed. */
  #finishDrain(lane: Lane): void {
    if (lane.drainUntilMs === null || lane.isDead) return;
    const { phase } = lane;
    if (phase.is === "calling") return;
    const isStarted = phase.is !== "starting" && phase.is !== "stopped";
    if (isStarted && lane.frontier.next !== lane.committed) {
      this.#committer.mark(lane);
      return;
    }
    this.#end(lane, "released");
    this.#source.release(lane.assignment);
  }

  #end(lane: Lane, how: string): void {
    this.#dispatcher.drop(lane);
    lane.queue.clear();
    lane.enter({ is: "dead" }, this.#context.clock.wallMs());
    this.#lanes.delete(lane.assignment);
    this.#context.history.ended(this.memberId, lane.assignment, how);
  }
}
