import {
  type Assignment,
  type FunctionSpec,
  invariant,
  type LaneStart,
  type LostReason,
  type MembershipState,
  type PartitionStart,
  type PenstockError,
  type RecordBatch,
  type RecordFilter,
  type RecordSource,
  type RecordSourceEvents,
} from "@penstock/core";
import { Lane } from "../lane/lane.ts";
import type { MappingCounters } from "../node/counters.ts";
import { ProblemDesk } from "../problems/problem-desk.ts";
import { Committer } from "./committer.ts";
import type { EventPollerContext } from "./context.ts";
import { Dispatcher, type DispatcherHost } from "./dispatch/dispatcher.ts";
import {
  positionAboveEnd,
  recordOverLimit,
  removedBeforeRead,
  removedUnderRetry,
  startAboveEnd,
} from "./dispatch/lane-messages.ts";
import { filterOf, selectRows } from "./dispatch/select-rows.ts";
import { FlowControl } from "./flow-control.ts";
import { GapDesk } from "./gap-desk.ts";
import { findStart } from "./lane-start.ts";
import type { EventPollerSettings } from "./settings.ts";
import { sourceOptions } from "./source-options.ts";

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
  readonly problems: ProblemDesk;
  readonly #counters: MappingCounters;
  readonly #source: RecordSource;
  #settings: EventPollerSettings;
  #filter: RecordFilter | null;
  #membership: MembershipState;
  #closing: Promise<void> | null = null;

  /** `mayBeStatic`: no other event poller of this node has its place any more. */
  constructor(context: EventPollerContext, settings: EventPollerSettings, mayBeStatic = true) {
    this.#context = context;
    this.#settings = settings;
    this.#filter = filterOf(settings);
    this.#counters = context.counters.of(settings.mappingId);
    this.problems = new ProblemDesk(
      () => context.clock.nowMs(),
      (problem) => context.reports.problem(settings.mappingId, settings.index, problem),
    );
    this.#dispatcher = new Dispatcher(context, this);
    this.#flow = new FlowControl(context, () => this.#source, this);
    this.#gaps = new GapDesk(context, settings.mappingId, () => this.memberId);
    this.#committer = new Committer(
      context,
      () => this.#source,
      (lane) => this.#finishDrain(lane),
    );
    const source = sourceOptions(context, settings, this.#counters, mayBeStatic);
    this.#source = context.driver.open(source, this);
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
    return this.problems.present;
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
    const isNewFilter = before.filterPatterns.join("\n") !== settings.filterPatterns.join("\n");
    if (isNewFilter) this.#filter = filterOf(settings);
    this.#settings = settings;
    for (const lane of this.#lanes.values()) {
      if (lane.phase.is === "starting" || lane.phase.is === "stopped") continue;
      if (isNewFilter) this.rewind(lane, lane.queue.headOffset);
      this.#dispatcher.dissolveOutdated(lane);
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

  /** Drains, commits, leaves the group; with `isRestart` a static member keeps its place in it. Idempotent. */
  close(isRestart = false): Promise<void> {
    this.#closing ??= this.#source.close(isRestart).then(() => {
      this.#dispatcher.stop();
      this.#committer.stop();
    });
    return this.#closing;
  }

  /** Once a second: keeps the log ends of lanes known that are out of the fetch, and tells what had to wait. */
  refresh(): void {
    this.problems.review();
    const stale = [...this.#lanes.values()].filter((lane) => lane.isPaused || lane.isStopped);
    if (stale.length > 0) this.#source.refreshEnds(stale.map(({ assignment }) => assignment));
  }

  // --- partitions come ---

  adopted(assignment: Assignment, start: PartitionStart): void {
    invariant(!this.#lanes.has(assignment), "a partition was adopted twice");
    const { mappingId } = this.#settings;
    const counters = this.#context.counters.partition(mappingId, assignment);
    const lane = new Lane(assignment, start, counters, this.#context.clock.wallMs());
    this.#lanes.set(assignment, lane);
    this.#gaps.inherit(lane, start);
    findStart(this.#context, this.#settings, assignment, start, (decision) => {
      if (!lane.isDead) this.#start(lane, decision);
    });
  }

  #start(lane: Lane, decision: LaneStart): void {
    const { assignment } = lane;
    if (decision.do === "stop") {
      const { consumerGroupId } = this.#settings;
      const { offset, logEnd } = decision;
      this.#stop(lane, startAboveEnd(assignment, offset, logEnd, consumerGroupId));
      return;
    }
    const offset = decision.do === "start" ? decision.offset : decision.to;
    if (decision.do === "skip" && decision.source !== "pinned") {
      this.#gaps.record(
        lane,
        decision.from,
        decision.to,
        "truncated",
        removedBeforeRead(assignment),
      );
    }
    if (decision.source === "committed" && decision.do === "start") lane.committed = offset;
    lane.restartAt(offset);
    lane.frontier.passTo(offset);
    lane.enter({ is: "idle" }, this.#context.clock.wallMs());
    this.#context.history.adopted(this.memberId, assignment, offset);
    this.#source.fetch(assignment, offset);
    this.#committer.mark(lane);
  }

  // --- records ---

  records(assignment: Assignment, batches: readonly RecordBatch[]): void {
    const lane = this.#lanes.get(assignment);
    if (lane === undefined || lane.drainUntilMs !== null || lane.isStopped) {
      for (const { memory } of batches) memory.release();
      return;
    }
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
      this.#gaps.pass(lane, position, logStart, "truncated", removedBeforeRead(assignment));
      this.#committer.mark(lane);
    }
    this.#source.fetch(assignment, position < logStart ? logStart : position);
  }

  undecodable(assignment: Assignment, from: bigint, to: bigint, reason: string): void {
    const lane = this.#lanes.get(assignment);
    if (lane === undefined || lane.isDead) return;
    this.#gaps.pass(lane, from, to, "undecodable", reason);
    this.#committer.mark(lane);
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
    lane.clearQueue();
    this.#finishDrain(lane);
  }

  lost(assignment: Assignment, reason: LostReason): void {
    const lane = this.#lanes.get(assignment);
    if (lane === undefined) return;
    const { topic, partition, epoch } = assignment;
    this.#context.log.info("partition lost", { topic, partition, epoch, reason });
    this.#end(lane, `lost:${reason}`);
  }

  problem(problem: PenstockError | null): void {
    this.problems.source(problem);
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
    if (lane.stopReason !== null) this.#enterStopped(lane, lane.stopReason);
    this.taken(lane);
    this.#dispatcher.consider(lane);
  }

  recordTooLarge(lane: Lane, spec: FunctionSpec): void {
    const from = lane.queue.headOffset;
    invariant(lane.queue.recordCount > 0, "a lane without records sent one that is too large");
    lane.skipBelow(from + 1n);
    this.#gaps.record(lane, from, from + 1n, "recordTooLarge", recordOverLimit(spec));
    lane.pass();
    this.#committer.mark(lane);
    this.taken(lane);
  }

  rewind(lane: Lane, offset: bigint): void {
    lane.restartAt(offset);
    if (lane.drainUntilMs !== null) return;
    this.#source.fetch(lane.assignment, offset);
    // A pause outlives the move of the position.
    this.taken(lane);
  }

  // --- inside ---

  /** Skips what retention removed while it was under retry. */
  #skipTo(lane: Lane, offset: bigint): void {
    const from = lane.frontier.next;
    lane.skipBelow(offset);
    if (lane.queue.nextOffset < offset) this.rewind(lane, offset);
    this.#gaps.record(
      lane,
      from,
      offset,
      "truncatedUnderRetry",
      removedUnderRetry(lane.assignment),
    );
    lane.pass();
    this.#committer.mark(lane);
    this.taken(lane);
  }

  /** Stops a lane, once the batch that it has in hand is settled. */
  #stop(lane: Lane, reason: string): void {
    this.problems.stopped(lane, reason);
    if (lane.batchInHand !== null) lane.stopReason = reason;
    else this.#enterStopped(lane, reason);
  }

  #enterStopped(lane: Lane, reason: string): void {
    lane.lastError = reason;
    lane.hasChanged = true;
    lane.clearQueue();
    lane.enter({ is: "stopped", reason }, this.#context.clock.wallMs());
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
    if (lane.phase.is !== "starting") this.#context.reports.ended(this.#settings.mappingId, lane);
    lane.counters.discarded += lane.recordsInMemory;
    this.#dispatcher.drop(lane);
    lane.queue.clear();
    lane.enter({ is: "dead" }, this.#context.clock.wallMs());
    this.#lanes.delete(lane.assignment);
    this.problems.forget(lane);
    this.#context.history.ended(this.memberId, lane.assignment, how);
  }
}
