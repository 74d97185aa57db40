import {
  discard,
  type FunctionSpec,
  type InvokeOutcome,
  nextStep,
  payloadFormatOf,
  planWindow,
  retryDelayMs,
  type Step,
} from "@penstock/core";
import type { Batch, BatchPart } from "../../lane/batch.ts";
import type { Lane } from "../../lane/lane.ts";
import type { MappingCounters } from "../../node/counters.ts";
import { troubleOf, unknownFunction } from "../../problems/function-trouble.ts";
import type { ProblemDesk } from "../../problems/problem-desk.ts";
import { Alarm } from "../alarm.ts";
import type { EventPollerContext } from "../context.ts";
import type { EventPollerSettings } from "../settings.ts";
import { BatchMaker } from "./batch-maker.ts";

/** What the dispatcher needs of the event poller around it. */
export interface DispatcherHost {
  readonly memberId: string;
  readonly problems: ProblemDesk;
  settings(): EventPollerSettings;
  lanes(): Iterable<Lane>;
  mayDispatch(): boolean;
  /** Records were taken from the lane's queue: it may have room again. */
  taken(lane: Lane): void;
  /** The frontier may have moved, and the lane is out of its call. */
  settled(lane: Lane): void;
  /** One record alone is over the payload limit: settle it by a gap report. */
  recordTooLarge(lane: Lane, spec: FunctionSpec): void;
  /** The lane's queue was replaced, or a batch could not go back to it: fetch again from here. */
  rewind(lane: Lane, offset: bigint): void;
}

/**
 * Forms batches and makes calls, for all lanes of one event poller.
 *
 * - A lane that can fill a batch alone sends it alone, at once.
 * - Short lanes wait for their window, and then share a call.
 * - A shared call that failed is split: each lane retries its own share, alone.
 * - A lane in a call, in a delay, stopped or being given up forms nothing, and holds no other lane up.
 *
 * It carries out the steps that `nextStep` decides, and decides none.
 */
export class Dispatcher {
  readonly #context: EventPollerContext;
  readonly #host: DispatcherHost;
  readonly #counters: MappingCounters;
  readonly #maker: BatchMaker;
  readonly #alarm: Alarm;

  constructor(context: EventPollerContext, host: DispatcherHost) {
    const settings = host.settings();
    this.#context = context;
    this.#host = host;
    this.#counters = context.counters.of(settings.mappingId);
    this.#maker = new BatchMaker(settings.bootstrapServers, context.newId);
    this.#alarm = new Alarm(context.clock, context.timers, () => this.tick());
  }

  /** The lane got records, or came out of a call: sends what can be sent, else sets the alarm. */
  consider(lane: Lane): void {
    if (!lane.isIdle || lane.queue.recordCount === 0) return;
    if (!this.#host.mayDispatch()) {
      this.#alarm.at(this.#context.clock.nowMs() + MEMBERSHIP_RECHECK_MS);
      return;
    }
    const settings = this.#host.settings();
    if (this.#isFull(lane, settings)) {
      this.#send([lane], settings);
      return;
    }
    lane.waitingSinceMs ??= this.#context.clock.nowMs();
    this.#alarm.at(lane.waitingSinceMs + settings.batchingWindowMs);
  }

  /** Sends what is due: ended delays, ended windows. */
  tick(): void {
    const nowMs = this.#context.clock.nowMs();
    const mayDispatch = this.#host.mayDispatch();
    if (!mayDispatch) this.#alarm.at(nowMs + MEMBERSHIP_RECHECK_MS);
    const short: ShortLane[] = [];
    const settings = this.#host.settings();
    for (const lane of this.#host.lanes()) {
      if (lane.phase.is === "waiting" && lane.drainUntilMs === null) {
        if (lane.phase.untilMs > nowMs) this.#alarm.at(lane.phase.untilMs);
        else if (mayDispatch) this.#resume(lane, lane.phase.batch);
      }
      if (!mayDispatch || !lane.isIdle || lane.queue.recordCount === 0) continue;
      if (this.#isFull(lane, settings)) this.#send([lane], settings);
      else {
        lane.waitingSinceMs ??= nowMs;
        short.push({
          lane,
          recordCount: lane.queue.recordCount,
          waitingSinceMs: lane.waitingSinceMs,
        });
      }
    }
    if (short.length === 0) return;
    const dueBeforeMs = nowMs - settings.batchingWindowMs;
    for (const group of planWindow(short, settings.batchSize, dueBeforeMs)) {
      this.#send(
        group.map(({ lane }) => lane),
        settings,
      );
    }
    for (const { lane } of short) {
      if (lane.isIdle && lane.waitingSinceMs !== null) {
        this.#alarm.at(lane.waitingSinceMs + settings.batchingWindowMs);
      }
    }
  }

  /** The function's settings changed, or it is another one: delays that waited for it end. */
  functionChanged(): void {
    for (const lane of this.#host.lanes()) {
      if (lane.phase.is === "waiting") lane.phase = { ...lane.phase, untilMs: 0 };
    }
    this.tick();
  }

  /** Takes a waiting batch apart: its records go back to the lane's queue, unsettled, and the lane is idle. */
  dissolve(lane: Lane): void {
    if (lane.phase.is !== "waiting") return;
    const { batch } = lane.phase;
    lane.enter({ is: "idle" }, this.#context.clock.wallMs());
    if (batch === null) return;
    this.#releasePayload(batch);
    for (const part of batch.parts) this.#putBack(part);
  }

  /** Takes a waiting batch apart that the mapping's settings would not form any more. */
  dissolveOutdated(lane: Lane): void {
    const { phase } = lane;
    if (phase.is !== "waiting" || lane.drainUntilMs !== null) return;
    if (phase.batch?.parts.some((part) => this.#isOutdated(part))) this.dissolve(lane);
  }

  /** Drops a lane's waiting batch, unsettled: the lane is dead or given up. */
  drop(lane: Lane): void {
    if (lane.phase.is !== "waiting" || lane.phase.batch === null) return;
    this.#releasePayload(lane.phase.batch);
    for (const part of lane.phase.batch.parts) discard(part.slices);
  }

  stop(): void {
    this.#alarm.stop();
  }

  #isFull(lane: Lane, settings: EventPollerSettings): boolean {
    const { queue } = lane;
    if (queue.recordCount >= settings.batchSize || lane.isPaused) return true;
    const spec = this.#context.functions.get(settings.functionName);
    return spec !== undefined && queue.bytes * BASE64_GROWTH >= spec.payloadBytesMax;
  }

  #send(lanes: readonly Lane[], settings: EventPollerSettings): void {
    const spec = this.#context.functions.get(settings.functionName);
    if (spec === undefined) {
      for (const lane of lanes) this.#delayForFunction(lane, settings);
      return;
    }
    const batch = this.#make(lanes, settings, spec);
    if (batch === null) return;
    this.#counters.batches++;
    this.#context.memory.count((batch.payload as Buffer).length);
    for (const { lane } of batch.parts) this.#host.taken(lane);
    this.#call(batch, settings);
  }

  #make(lanes: readonly Lane[], settings: EventPollerSettings, spec: FunctionSpec): Batch | null {
    let group = lanes;
    while (group.length > 0) {
      const batch = this.#maker.make(group, settings.batchSize, spec);
      if (batch !== null) return batch;
      const first = group[0] as Lane;
      this.#host.recordTooLarge(first, spec);
      if (first.queue.recordCount === 0) group = group.slice(1);
    }
    return null;
  }

  #resume(lane: Lane, batch: Batch | null): void {
    if (batch === null) {
      lane.enter({ is: "idle" }, this.#context.clock.wallMs());
      return;
    }
    const settings = this.#host.settings();
    const spec = this.#context.functions.get(settings.functionName);
    if (spec === undefined) {
      this.#host.problems.failed(lane, unknownFunction(settings.functionName));
      this.#wait(lane, batch, retryDelayMs(++batch.waits, this.#context.random()), "throttled");
      return;
    }
    if (batch.payload === null || batch.encodedFor !== spec) {
      this.#releasePayload(batch);
      if (!this.#maker.encodeAnew(batch, spec)) {
        this.dissolve(lane);
        return;
      }
      this.#context.memory.count((batch.payload as Buffer | null)?.length ?? 0);
    }
    this.#call(batch, settings);
  }

  #call(batch: Batch, settings: EventPollerSettings): void {
    const wallMs = this.#context.clock.wallMs();
    for (const { lane } of batch.parts) {
      lane.waitingSinceMs = null;
      lane.enter({ is: "calling", batch }, wallMs);
    }
    const attempt = batch.failedAttempts + 1;
    const spec = batch.encodedFor;
    const span = this.#context.tracer.start(batch, attempt);
    const payload = batch.payload as Buffer;
    for (const { lane, recordCount } of batch.parts) lane.counters.invoked += recordCount;
    this.#counters.payloadBytes += payload.length;
    this.#context.history.called(this.#host.memberId, batch, attempt);
    const startedMs = this.#context.clock.nowMs();
    void this.#context.invoker
      .invoke({
        functionName: spec.name,
        functionRevision: spec.revision,
        qualifier: settings.functionQualifier,
        format: payloadFormatOf(spec.target),
        payload,
        requestId: batch.requestId,
        mappingId: settings.mappingId,
        attempt,
        traceparent: span.traceparent,
        tracestate: span.tracestate,
        recordCount: batch.recordCount,
        timeoutMs: spec.timeoutMs,
      })
      .then((outcome) => {
        const durationMs = this.#context.clock.nowMs() - startedMs;
        this.#context.observe.call(settings.mappingId, outcome.kind, durationMs);
        span.end(outcome.kind, "message" in outcome ? outcome.message : "");
        this.#answered(batch, outcome);
      });
  }

  #answered(batch: Batch, outcome: InvokeOutcome): void {
    this.#context.history.answered(this.#host.memberId, batch, outcome.kind);
    const live: BatchPart[] = [];
    for (const part of batch.parts) {
      const { phase } = part.lane;
      if (phase.is === "calling" && phase.batch === batch) live.push(part);
      else discard(part.slices);
    }
    const step = nextStep(batch, outcome, this.#context.random());
    if (step.do === "settle") this.#settle(batch, live);
    else this.#defer(batch, live, step, outcome);
  }

  #settle(batch: Batch, live: readonly BatchPart[]): void {
    this.#releasePayload(batch);
    const wallMs = this.#context.clock.wallMs();
    let records = 0;
    for (const part of live) {
      const { lane, range, slices } = part;
      lane.frontier.settle(range);
      lane.pass();
      discard(slices);
      lane.counters.settled += part.recordCount;
      records += part.recordCount;
      lane.waits = 0;
      lane.lastError = "";
      lane.hasChanged = true;
      const { history } = this.#context;
      history.settled(this.#host.memberId, lane.assignment, range.from, range.to, "success");
      lane.enter({ is: "idle" }, wallMs);
      this.#host.problems.succeeded(lane);
    }
    this.#context.reports.result(this.#host.settings().mappingId, "OK", records);
    for (const { lane } of live) this.#host.settled(lane);
  }

  #defer(
    batch: Batch,
    live: readonly BatchPart[],
    step: Exclude<Step, { do: "settle" }>,
    outcome: InvokeOutcome,
  ): void {
    const message = "message" in outcome ? outcome.message : "";
    const trouble = troubleOf(batch.encodedFor.name, outcome);
    const isShared = batch.parts.length > 1;
    const isOutdated = live.some((part) => this.#isOutdated(part));
    if (step.do === "retry") batch.failedAttempts++;
    else batch.waits++;
    batch.waits = step.do === "retry" ? 0 : batch.waits;
    if (isShared || isOutdated || (step.do === "wait" && step.encodeAnew) || live.length === 0) {
      this.#releasePayload(batch);
    }
    for (const part of live) {
      const { lane } = part;
      lane.lastError = `${outcome.kind}: ${message}`;
      lane.hasChanged = true;
      if (trouble !== null) this.#host.problems.failed(lane, trouble);
      if (step.do === "retry") lane.counters.failed += part.recordCount;
      if (this.#isOutdated(part)) {
        this.#putBack(part);
        this.#delay(lane, null, step.delayMs);
      } else if (step.do === "retry") {
        this.#wait(lane, isShared ? this.#maker.split(batch, part) : batch, step.delayMs, "retry");
      } else if (isShared) {
        this.#putBack(part);
        this.#delay(lane, null, step.delayMs);
      } else this.#wait(lane, batch, step.delayMs, "throttled");
      if (lane.drainUntilMs !== null) this.#host.settled(lane);
    }
  }

  #wait(lane: Lane, batch: Batch, delayMs: number, why: "retry" | "throttled"): void {
    const untilMs = this.#context.clock.nowMs() + delayMs;
    // A batch may wait for long: its payload must not keep the memory of others alive.
    const { payload } = batch;
    if (payload !== null && payload.buffer.byteLength > payload.length) {
      batch.payload = Buffer.copyBytesFrom(payload);
    }
    lane.enter({ is: "waiting", untilMs, why, batch }, this.#context.clock.wallMs());
    this.#alarm.at(untilMs);
  }

  /** Until the function is in the registry. */
  #delayForFunction(lane: Lane, { functionName }: EventPollerSettings): void {
    const trouble = unknownFunction(functionName);
    this.#host.problems.failed(lane, trouble);
    this.#delay(lane, trouble.problem.message);
  }

  /** A delay of a lane without a batch of its own. */
  #delay(lane: Lane, problem: string | null, atLeastMs = 0): void {
    lane.waits++;
    if (problem !== null) lane.lastError = problem;
    const delayMs = Math.max(atLeastMs, retryDelayMs(lane.waits, this.#context.random()));
    const untilMs = this.#context.clock.nowMs() + delayMs;
    lane.waitingSinceMs = null;
    lane.enter(
      { is: "waiting", untilMs, why: "throttled", batch: null },
      this.#context.clock.wallMs(),
    );
    this.#alarm.at(untilMs);
  }

  /** Whether the settings changed under it: the lane started over with another filter, or batches are smaller now. */
  #isOutdated({ lane, queue, recordCount }: BatchPart): boolean {
    return queue !== lane.queue || recordCount > this.#host.settings().batchSize;
  }

  #putBack(part: BatchPart): void {
    const { lane, queue, slices, range } = part;
    lane.frontier.withdraw(range);
    if (queue === lane.queue && lane.drainUntilMs === null) queue.putBack(slices);
    else {
      lane.counters.discarded += part.recordCount;
      discard(slices);
      this.#host.rewind(lane, range.from);
    }
  }

  #releasePayload(batch: Batch): void {
    if (batch.payload === null) return;
    this.#context.memory.count(-batch.payload.length);
    batch.payload = null;
  }
}

interface ShortLane {
  readonly lane: Lane;
  readonly recordCount: number;
  readonly waitingSinceMs: number;
}

/** How soon to look again while the membership is uncertain. */
const MEMBERSHIP_RECHECK_MS = 250;

/** Base64 turns 3 bytes into 4. */
const BASE64_GROWTH = 4 / 3;
