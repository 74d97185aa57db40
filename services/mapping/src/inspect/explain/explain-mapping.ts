import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { mapping, poller } from "@penstock/proto";
import type { MappingView } from "../../store/mapping-views.ts";
import type { NodeAnswers } from "./ask-nodes.ts";
import { explainPartitions, type KnownPoller } from "./explain-partitions.ts";
import type { StoredRun } from "./read-run.ts";

export interface ExplainFacts {
  readonly view: MappingView;
  /** The mapping as the API shows it: state and problem. */
  readonly shown: mapping.EventSourceMapping;
  readonly run: StoredRun;
  readonly answers: NodeAnswers;
  /** By partition; null when the brokers were not asked or did not answer. */
  readonly foreignOwners: ReadonlyMap<number, string> | null;
}

const POLLER_STATES: ReadonlyMap<poller.EventPollerState, string> = new Map([
  [poller.EventPollerState.JOINING, "JOINING"],
  [poller.EventPollerState.RUNNING, "RUNNING"],
  [poller.EventPollerState.DRAINING, "DRAINING"],
  [poller.EventPollerState.STOPPED, "STOPPED"],
]);

/** Puts together what is known: from the nodes that answered as it is now, of the others as they last reported. Pure. */
export function explainMapping(facts: ExplainFacts): mapping.ExplainEventSourceMappingResponse {
  const { shown, run } = facts;
  const pollers = run.pollers.map((stored) => knownPoller(stored, facts.answers));
  const partitions = explainPartitions(facts, pollers);
  return create(mapping.ExplainEventSourceMappingResponseSchema, {
    state: shown.state,
    stateSince: timestampFromDate(run.stateSince),
    summary: summarize(facts, partitions),
    ...(shown.problem && { problem: shown.problem }),
    eventPollers: pollers.map(({ stored, live }) => ({
      index: stored.index,
      nodeId: stored.nodeId,
      state: live ? (POLLER_STATES.get(live.state) ?? "") : "",
      problem: live ? live.problem : (stored.problem ?? ""),
    })),
    partitions,
    silentNodes: [...facts.answers].flatMap(([nodeId, answer]) => (answer === null ? nodeId : [])),
  });
}

function knownPoller(stored: StoredRun["pollers"][number], answers: NodeAnswers): KnownPoller {
  const answer = answers.get(stored.nodeId) ?? null;
  const live = answer?.find(({ index }) => index === stored.index) ?? null;
  return { stored, live, isSilent: answer === null };
}

type Partition = mapping.ExplainedPartition;

function summarize({ shown, run, view }: ExplainFacts, partitions: readonly Partition[]): string {
  const { MappingState } = mapping;
  switch (shown.state) {
    case MappingState.DISABLED:
      return "The mapping is disabled: no call can start.";
    case MappingState.DISABLING:
    case MappingState.DELETING:
      return view.waitingForNodes.length === 0
        ? "The mapping is being stopped."
        : `The mapping is being stopped and waits for: ${view.waitingForNodes.join(", ")}.`;
    default:
  }
  if (shown.problem) return shown.problem.message;
  if (run.pollers.length === 0) return "No event poller is placed yet.";
  const waits = new Map<mapping.PartitionWait, number>();
  for (const { waitingFor } of partitions) waits.set(waitingFor, (waits.get(waitingFor) ?? 0) + 1);
  const lag = partitions.reduce((sum, one) => (one.lag > 0n ? sum + one.lag : sum), 0n);
  const parts = [...waits]
    .sort((a, b) => b[1] - a[1])
    .map(([wait, count]) => `${count} ${count === 1 ? "waits" : "wait"} for ${WAIT_WORDS[wait]}`);
  const noun = partitions.length === 1 ? "partition" : "partitions";
  return `${partitions.length} ${noun}, lag ${lag}: ${parts.join(", ")}.`;
}

/** What a number of partitions wait for. */
const WAIT_WORDS: Readonly<Record<mapping.PartitionWait, string>> = {
  [mapping.PartitionWait.UNSPECIFIED]: "something that their node did not tell",
  [mapping.PartitionWait.RECORDS]: "records",
  [mapping.PartitionWait.WINDOW]: "the batching window",
  [mapping.PartitionWait.FUNCTION]: "the function's answer",
  [mapping.PartitionWait.RETRY]: "the next attempt after a function error",
  [mapping.PartitionWait.THROTTLED]: "a throttling or unreachable function",
  [mapping.PartitionWait.MEMBERSHIP]: "the consumer group",
  [mapping.PartitionWait.POSITION]: "their start position",
  [mapping.PartitionWait.OPERATOR]: "an operator",
  [mapping.PartitionWait.HANDOVER]: "their hand-over",
  [mapping.PartitionWait.BROKER]: "the brokers",
  [mapping.PartitionWait.OWNER]: "an owner",
  [mapping.PartitionWait.DISABLED]: "nothing: the mapping is disabled",
};
