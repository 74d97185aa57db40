import type { Clock } from "@penstock/core";
import {
  createHistogram,
  METRICS,
  type Observation,
  observeMetric,
  type Telemetry,
} from "@penstock/runtime";
import type { Observations } from "../event-poller/context.ts";
import type { EventPoller } from "../event-poller/event-poller.ts";
import type { Lane } from "../lane/lane.ts";
import type { Counters, PartitionCounters } from "../node/counters.ts";
import type { MemoryBudget } from "../node/memory-budget.ts";
import type { PollerNode } from "../node/poller-node.ts";

export interface ObservedPoller {
  readonly node: PollerNode;
  readonly counters: Counters;
  readonly memory: MemoryBudget;
  readonly isConnected: () => boolean;
  readonly invokeStreams: () => Iterable<{ readonly address: string; readonly state: string }>;
  readonly clock: Clock;
}

/** Distributions: one value for each call, commit and fetch. */
export function createObservations({ meter }: Telemetry): Observations {
  const delivery = createHistogram(meter, METRICS.deliverySeconds);
  const commit = createHistogram(meter, METRICS.commitSeconds);
  const fetch = createHistogram(meter, METRICS.fetchSeconds);
  return {
    call: (mapping, outcome, durationMs) =>
      delivery.record(durationMs / 1000, { mapping, outcome }),
    commit: (outcome, durationMs) => commit.record(durationMs / 1000, { outcome }),
    fetch: (durationMs) => fetch.record(durationMs / 1000),
  };
}

/** Reads the node's plain counters and states whenever metrics are collected. */
export function observePoller({ meter }: Telemetry, observed: ObservedPoller): void {
  const { node, counters, memory } = observed;
  for (const [metric, key] of PARTITION_COUNTERS) {
    observeMetric(meter, METRICS[metric], () =>
      [...counters.partitions()].map((each) => [each[key], attributesOf(each)]),
    );
  }
  const lanes = (read: (lane: Lane) => number | null) => () => observeLanes(node, read);
  observeMetric(
    meter,
    METRICS.recordsInFlight,
    lanes((lane) => lane.recordsInMemory),
  );
  observeMetric(meter, METRICS.lagRecords, lanes(lagOf));
  observeMetric(
    meter,
    METRICS.offsetLagRecords,
    lanes((lane) => Math.max(0, Number(lane.logEnd - lane.frontier.next))),
  );
  observeMetric(
    meter,
    METRICS.lagSeconds,
    lanes((lane) => lagSecondsOf(lane, observed.clock.wallMs())),
  );
  const mappings = (read: (each: ReturnType<Counters["of"]>) => number) => () =>
    [...counters.mappings()].map(([mapping, each]): Observation => [read(each), { mapping }]);
  observeMetric(
    meter,
    METRICS.batches,
    mappings((each) => each.batches),
  );
  observeMetric(
    meter,
    METRICS.payloadBytes,
    mappings((each) => each.payloadBytes),
  );
  observeMetric(
    meter,
    METRICS.fetchedBytes,
    mappings((each) => each.fetchedBytes),
  );
  observeMetric(
    meter,
    METRICS.rebalances,
    mappings((each) => each.rebalances),
  );
  observeMetric(meter, METRICS.gaps, () =>
    [...counters.mappings()].flatMap(([mapping, each]) =>
      [...each.gaps].map(([reason, count]): Observation => [count, { mapping, reason }]),
    ),
  );
  observeMetric(meter, METRICS.bufferedBytes, () => memory.bytes);
  observeMetric(meter, METRICS.bufferedBytesMax, () => memory.bytesMax);
  observeMetric(meter, METRICS.eventPollers, () => count(node, (poller) => [stateOf(poller)]));
  observeMetric(meter, METRICS.lanes, () =>
    count(node, (poller) => [...poller.lanes()].map((lane) => lane.phase.is)),
  );
  observeMetric(meter, METRICS.streams, () => [
    [observed.isConnected() ? 1 : 0, { kind: "fleet", peer: "mapping", state: "open" }],
    ...[...observed.invokeStreams()].map(
      ({ address, state }): Observation => [1, { kind: "invoke", peer: address, state }],
    ),
  ]);
}

const PARTITION_COUNTERS = [
  ["recordsPolled", "polled"],
  ["recordsFiltered", "filtered"],
  ["recordsInvoked", "invoked"],
  ["recordsSettled", "settled"],
  ["recordsFailed", "failed"],
  ["recordsGap", "gap"],
  ["recordsSkipped", "skipped"],
  ["recordsDiscarded", "discarded"],
  ["recordsCommitted", "committed"],
] as const satisfies readonly [keyof typeof METRICS, keyof PartitionCounters][];

function attributesOf(each: PartitionCounters) {
  return { mapping: each.mappingId, topic: each.topic, partition: each.partition };
}

function observeLanes(node: PollerNode, read: (lane: Lane) => number | null): Observation[] {
  const observations: Observation[] = [];
  for (const poller of node.pollers()) {
    for (const lane of poller.lanes()) {
      const value = read(lane);
      if (value !== null) observations.push([value, attributesOf(lane.counters)]);
    }
  }
  return observations;
}

function lagOf(lane: Lane): number | null {
  return lane.phase.is === "starting" ? null : Number(lane.lag);
}

/** Age of the oldest record in memory; what is not fetched yet is younger, and a lane with nothing to do has none. */
function lagSecondsOf(lane: Lane, wallMs: number): number | null {
  if (lane.phase.is === "starting") return null;
  if (lane.logEnd <= lane.frontier.next) return 0;
  const oldest = lane.oldestTimestampMs;
  return oldest < 0 ? null : Math.max(0, (wallMs - oldest) / 1000);
}

function count(node: PollerNode, states: (poller: EventPoller) => string[]): Observation[] {
  const counts = new Map<string, { mapping: string; state: string; count: number }>();
  for (const poller of node.pollers()) {
    const mapping = poller.settings().mappingId;
    for (const state of states(poller)) {
      const entry = counts.get(`${mapping}/${state}`) ?? { mapping, state, count: 0 };
      entry.count++;
      counts.set(`${mapping}/${state}`, entry);
    }
  }
  return [...counts.values()].map(({ count: value, mapping, state }) => [
    value,
    { mapping, state },
  ]);
}

function stateOf(poller: EventPoller): string {
  if (poller.isClosing) return "draining";
  return poller.state.phase === "member" ? "running" : poller.state.phase;
}
