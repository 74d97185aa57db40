import type {
  CarriedGap,
  Clock,
  FunctionSpec,
  InvokeOutcome,
  Invoker,
  PenstockError,
  RecordSourceDriver,
  SourceSecurityProvider,
} from "@penstock/core";
import type { Logger } from "@penstock/runtime";
import type { Lane } from "../lane/lane.ts";
import type { Counters } from "../node/counters.ts";
import type { MemoryBudget } from "../node/memory-budget.ts";
import type { BatchTracer } from "./batch-tracer.ts";
import type { History } from "./history.ts";

/** What the node lends to each of its event pollers. */
export interface EventPollerContext {
  readonly driver: RecordSourceDriver;
  /** Absent: only sources without secrets are read. */
  readonly sourceSecurity?: SourceSecurityProvider;
  readonly invoker: Invoker;
  readonly functions: { get(name: string): FunctionSpec | undefined };
  /** Archived position of a partition, null when there is none or nobody can be asked. Bounded in time. */
  readonly archive: (
    mappingId: string,
    topicId: string,
    partition: number,
  ) => Promise<bigint | null>;
  readonly memory: MemoryBudget;
  readonly counters: Counters;
  readonly observe: Observations;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly newId: () => string;
  readonly history: History;
  readonly tracer: BatchTracer;
  readonly log: Logger;
  readonly drainLimitMs: number;
  /** Under whose name members are static (group.instance.id): one that this node has again after a restart. Absent: they are not. */
  readonly staticNodeId?: string;
  readonly fetchBytesMax: number;
  readonly fetchPartitionBytesMax: number;
  readonly inflatedBytesMax: number;
  readonly reports: EventPollerReports;
}

/** One value for each call, commit and fetch, for distributions. */
export interface Observations {
  call(mappingId: string, outcome: InvokeOutcome["kind"], durationMs: number): void;
  commit(outcome: "answered" | "unknown", durationMs: number): void;
  fetch(durationMs: number): void;
}

/** Where an event poller says what the control plane should know. */
export interface EventPollerReports {
  gap(gap: Gap): void;
  problem(mappingId: string, index: number, problem: PenstockError | null): void;
  result(mappingId: string, result: string, settledRecords: number): void;
  /** For the mapping's history: what an operator may want to know, and nobody has to act upon. */
  happened(mappingId: string, kind: string, message: string): void;
  /** The lane is about to end: what is known of its partition is the last word of this assignment. */
  ended(mappingId: string, lane: Lane): void;
  /** Membership or holdings changed. */
  changed(): void;
}

/** Records that are settled without the function. */
export interface Gap extends CarriedGap {
  readonly mappingId: string;
  readonly topicId: string;
  readonly topic: string;
  readonly partition: number;
  readonly message: string;
  /** Set by whoever reports it, once the mapping service has stored it. */
  isStored: boolean;
}

export interface Timers {
  /** Runs `fire` once after `ms`; the returned function cancels it. */
  after(ms: number, fire: () => void): () => void;
}
