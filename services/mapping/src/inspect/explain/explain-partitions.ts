import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { mapping, poller } from "@penstock/proto";
import type { PartitionRow } from "../../store/read-progress.ts";
import type { ExplainFacts } from "./explain-mapping.ts";
import { laneExplanation, laneWait } from "./lane-words.ts";
import type { StoredPoller } from "./read-run.ts";

/** An event poller as stored, and as its node describes it. */
export interface KnownPoller {
  readonly stored: StoredPoller;
  readonly live: poller.EventPoller | null;
  /** Its node did not answer. */
  readonly isSilent: boolean;
}

type Reason = Pick<mapping.ExplainedPartition, "waitingFor" | "explanation">;

/** One entry for each partition that anybody knows of, by number. */
export function explainPartitions(
  facts: ExplainFacts,
  pollers: readonly KnownPoller[],
): mapping.ExplainedPartition[] {
  const lanes = liveLanes(pollers);
  const reported = newestReports(facts.view.partitions);
  const numbers = new Set([
    ...Array.from({ length: facts.run.partitionCount ?? 0 }, (_, partition) => partition),
    ...lanes.keys(),
    ...reported.keys(),
  ]);
  return [...numbers]
    .sort((a, b) => a - b)
    .map((partition) => {
      const lane = lanes.get(partition);
      if (lane) return fromLane(lane);
      return fromReport(facts, pollers, partition, reported.get(partition));
    });
}

interface LiveLane {
  readonly nodeId: string;
  readonly lane: poller.Lane;
}

/** While a partition moves, two event pollers may know it: the one with the newer assignment counts. */
function liveLanes(pollers: readonly KnownPoller[]): Map<number, LiveLane> {
  const lanes = new Map<number, LiveLane>();
  for (const { stored, live } of pollers) {
    for (const lane of live?.lanes ?? []) {
      const known = lanes.get(lane.partition);
      if (known && known.lane.assignmentEpoch >= lane.assignmentEpoch) continue;
      lanes.set(lane.partition, { nodeId: stored.nodeId, lane });
    }
  }
  return lanes;
}

function newestReports(rows: readonly PartitionRow[]): Map<number, PartitionRow> {
  const newest = new Map<number, PartitionRow>();
  for (const row of rows) {
    const known = newest.get(row.partition);
    if (!known || known.updated_at <= row.updated_at) newest.set(row.partition, row);
  }
  return newest;
}

function fromLane({ nodeId, lane }: LiveLane): mapping.ExplainedPartition {
  return create(mapping.ExplainedPartitionSchema, {
    topic: lane.topic,
    partition: lane.partition,
    position: lane.position,
    committedOffset: lane.committedOffset,
    logEndOffset: lane.logEndOffset,
    lag: lane.lag,
    nodeId,
    waitingFor: laneWait(lane),
    ...(lane.waitingSince && { waitingSince: lane.waitingSince }),
    explanation: laneExplanation(lane),
    failedAttempts: lane.failedAttempts,
  });
}

function fromReport(
  facts: ExplainFacts,
  pollers: readonly KnownPoller[],
  partition: number,
  row: PartitionRow | undefined,
): mapping.ExplainedPartition {
  const isOfSilentNode =
    row !== undefined &&
    pollers.some(({ stored, isSilent }) => isSilent && stored.nodeId === row.node_id);
  return create(mapping.ExplainedPartitionSchema, {
    topic: facts.view.mapping.topic,
    partition,
    position: row?.position ?? -1n,
    committedOffset: row?.committed_offset ?? -1n,
    logEndOffset: row?.log_end_offset ?? -1n,
    lag: row?.lag ?? -1n,
    nodeId: isOfSilentNode ? row.node_id : "",
    foreignMember: facts.foreignOwners?.get(partition) ?? "",
    ...(isOfSilentNode && { waitingSince: timestampFromDate(row.updated_at) }),
    ...whyUnowned(facts, pollers, partition, isOfSilentNode),
  });
}

/** Why no event poller that answered has the partition. The first reason that applies. */
function whyUnowned(
  { view, shown, run, foreignOwners }: ExplainFacts,
  pollers: readonly KnownPoller[],
  partition: number,
  isOfSilentNode: boolean,
): Reason {
  const { MappingState, PartitionWait } = mapping;
  if (shown.state === MappingState.DELETING) {
    return { waitingFor: PartitionWait.DISABLED, explanation: "The mapping is being deleted." };
  }
  if (!view.mapping.isEnabled) {
    return { waitingFor: PartitionWait.DISABLED, explanation: "The mapping is disabled." };
  }
  if (isOfSilentNode) {
    const explanation = "Its node did not answer: this is what it last reported.";
    return { waitingFor: PartitionWait.UNSPECIFIED, explanation };
  }
  const foreigner = foreignOwners?.get(partition);
  if (foreigner !== undefined) {
    const explanation = `Another member of the consumer group reads it: ${foreigner}.`;
    return { waitingFor: PartitionWait.OWNER, explanation };
  }
  if (shown.problem) {
    const isOfBroker = /^(?:kafka|secret|addressDenied)/.test(shown.problem.code);
    const waitingFor = isOfBroker ? PartitionWait.BROKER : PartitionWait.OWNER;
    return { waitingFor, explanation: shown.problem.message };
  }
  if (run.pollers.length === 0) {
    return { waitingFor: PartitionWait.OWNER, explanation: "No event poller is placed yet." };
  }
  const joining = pollers.find(({ live }) => live?.state === poller.EventPollerState.JOINING);
  if (joining) {
    const explanation = `Event poller ${joining.stored.index} is joining the consumer group.`;
    return { waitingFor: PartitionWait.MEMBERSHIP, explanation };
  }
  if (pollers.some(({ live }) => live !== null)) {
    const explanation = "The consumer group has not assigned it to an event poller yet.";
    return { waitingFor: PartitionWait.MEMBERSHIP, explanation };
  }
  return { waitingFor: PartitionWait.UNSPECIFIED, explanation: "Its node did not answer." };
}
