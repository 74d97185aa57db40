/**
 * Every metric of Penstock, in one place. `docs/operating/metrics.md` is written from this table.
 *
 * Per partition and mapping, the counters of records add up: polled = settled + filtered + skipped + discarded + in flight (I-20).
 */
import type { MetricDefinition } from "./metric-definition.ts";

const SECONDS_FAST = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;
const SECONDS_SLOW = [...SECONDS_FAST, 30, 60, 300, 900] as const;
const PARTITION = ["mapping", "topic", "partition"] as const;

const RECORDS = {
  recordsPolled: counter(
    "penstock.records.polled",
    "{record}",
    PARTITION,
    "Records fetched and decoded, before the filter.",
  ),
  recordsFiltered: counter(
    "penstock.records.filtered",
    "{record}",
    PARTITION,
    "Records that the filter left out.",
  ),
  recordsInvoked: counter(
    "penstock.records.invoked",
    "{record}",
    PARTITION,
    "Records sent to the function, each attempt counted.",
  ),
  recordsSettled: counter(
    "penstock.records.settled",
    "{record}",
    PARTITION,
    "Records that the function processed.",
  ),
  recordsFailed: counter(
    "penstock.records.failed",
    "{record}",
    PARTITION,
    "Records in failed calls, each attempt counted.",
  ),
  recordsSkipped: counter(
    "penstock.records.skipped",
    "{record}",
    PARTITION,
    "Polled records that a gap report settled: too large, or removed under retry.",
  ),
  recordsDiscarded: counter(
    "penstock.records.discarded",
    "{record}",
    PARTITION,
    "Polled records put away unsettled, to be polled again: their assignment ended, or the filter changed.",
  ),
  recordsGap: counter(
    "penstock.records.gap",
    "{record}",
    PARTITION,
    "Offsets settled by a gap report, also those that were never polled.",
  ),
  recordsCommitted: counter(
    "penstock.records.committed",
    "{record}",
    PARTITION,
    "Offsets that Kafka acknowledged as committed.",
  ),
  recordsInFlight: gauge(
    "penstock.records.in.flight",
    "{record}",
    PARTITION,
    "Records polled and not settled.",
  ),
} as const;

const PARTITIONS = {
  lagRecords: gauge(
    "penstock.partition.lag.records",
    "{record}",
    PARTITION,
    "Log end minus committed offset; the log end is the last stable offset.",
  ),
  lagSeconds: gauge(
    "penstock.partition.lag.seconds",
    "s",
    PARTITION,
    "Age of the oldest record that is not settled; 0 when there is none.",
  ),
  offsetLagRecords: gauge(
    "penstock.partition.offset.lag.records",
    "{record}",
    PARTITION,
    "Log end minus the last processed offset: OffsetLag of AWS.",
  ),
  gaps: counter("penstock.gaps", "{gap}", ["mapping", "reason"], "Gap reports."),
  rebalances: counter(
    "penstock.rebalances",
    "{rebalance}",
    ["mapping"],
    "Times that partitions came to a member or were asked back.",
  ),
} as const;

const DELIVERY = {
  batches: counter("penstock.batches", "{batch}", ["mapping"], "Batches formed."),
  payloadBytes: counter(
    "penstock.payload.bytes",
    "By",
    ["mapping"],
    "Encoded payload bytes sent to functions, each attempt counted.",
  ),
  invocationSeconds: histogram(
    "penstock.invocation.duration.seconds",
    SECONDS_SLOW,
    ["function", "outcome"],
    "Time of one call of a function, as the invoker sees it.",
  ),
  deliverySeconds: histogram(
    "penstock.delivery.duration.seconds",
    SECONDS_SLOW,
    ["mapping", "outcome"],
    "Time of one call as the poller sees it, the way to the invoker included.",
  ),
  invocationsInFlight: gauge(
    "penstock.invocations.in.flight",
    "{call}",
    ["function"],
    "Calls that a function works on.",
  ),
  invocationsWaiting: gauge(
    "penstock.invocations.waiting",
    "{call}",
    ["function"],
    "Calls that wait for one of the function's slots.",
  ),
  invocationsMax: gauge(
    "penstock.invocations.max",
    "{call}",
    ["function"],
    "Calls that this invoker may make at once; absent when unlimited.",
  ),
} as const;

const KAFKA = {
  fetchSeconds: histogram(
    "penstock.fetch.duration.seconds",
    SECONDS_FAST,
    [],
    "Time of one fetch request, the long poll included.",
  ),
  fetchedBytes: counter("penstock.fetched.bytes", "By", ["mapping"], "Bytes of fetch responses."),
  commitSeconds: histogram(
    "penstock.commit.duration.seconds",
    SECONDS_FAST,
    ["outcome"],
    "Time of one offset commit.",
  ),
  bufferedBytes: gauge("penstock.buffered.bytes", "By", [], "Fetched bytes that this node holds."),
  bufferedBytesMax: gauge(
    "penstock.buffered.bytes.max",
    "By",
    [],
    "Limit of penstock.buffered.bytes.",
  ),
} as const;

const FLEET = {
  eventPollers: gauge(
    "penstock.event.pollers",
    "{event_poller}",
    ["mapping", "state"],
    "Event pollers on this node.",
  ),
  lanes: gauge(
    "penstock.lanes",
    "{lane}",
    ["mapping", "state"],
    "Lanes (assigned partitions) by what they do or wait for.",
  ),
  mappings: gauge("penstock.mappings", "{mapping}", ["state"], "Mappings by state."),
  nodes: gauge(
    "penstock.nodes",
    "{node}",
    ["kind", "state"],
    "Processes that the mapping service knows; kind: poller, invoker.",
  ),
  streams: gauge(
    "penstock.streams",
    "{stream}",
    ["kind", "peer", "state"],
    "Long-lived streams of this process; kind: fleet, invoke.",
  ),
  leader: gauge("penstock.leader", "1", [], "1 on the mapping replica that leads, else 0."),
  leaderLookSeconds: histogram(
    "penstock.leader.look.duration.seconds",
    SECONDS_FAST,
    [],
    "Time of one look of the leader at all mappings and nodes: how long a change waits at least.",
  ),
} as const;

const SECURITY = {
  callsDenied: counter(
    "penstock.calls.denied",
    "{call}",
    ["reason"],
    "Calls that were refused: without good credentials (unauthenticated), without the role (permissionDenied), or ended because the credential was taken back or has expired (withdrawn).",
  ),
} as const;

const PROCESS = {
  logDroppedLines: counter(
    "penstock.log.dropped.lines",
    "{line}",
    [],
    "Log lines dropped because their reader stalled.",
  ),
  eventLoopDelaySeconds: gauge(
    "penstock.event.loop.delay.seconds",
    "s",
    [],
    "Longest delay of the event loop since the last collection.",
  ),
  residentBytes: gauge(
    "penstock.process.resident.bytes",
    "By",
    [],
    "Resident memory of the process.",
  ),
  cpuSeconds: counter("penstock.process.cpu.seconds", "s", [], "CPU time of the process."),
} as const;

/** In the order in which people read them. */
export const METRIC_GROUPS = {
  Records: RECORDS,
  Partitions: PARTITIONS,
  Delivery: DELIVERY,
  Kafka: KAFKA,
  Fleet: FLEET,
  Security: SECURITY,
  Process: PROCESS,
} as const;

export const METRICS = Object.freeze({
  ...RECORDS,
  ...PARTITIONS,
  ...DELIVERY,
  ...KAFKA,
  ...FLEET,
  ...SECURITY,
  ...PROCESS,
});

type Attributes = MetricDefinition["attributes"];

function counter(name: string, unit: string, attributes: Attributes, description: string) {
  return { name, kind: "counter", unit, attributes, description } as const;
}

function gauge(name: string, unit: string, attributes: Attributes, description: string) {
  return { name, kind: "gauge", unit, attributes, description } as const;
}

function histogram(
  name: string,
  buckets: readonly number[],
  attributes: Attributes,
  description: string,
) {
  return { name, kind: "histogram", unit: "s", attributes, description, buckets } as const;
}
