import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { type Clock, type DriverCapabilities, PenstockError } from "@penstock/core";
import { poller } from "@penstock/proto";
import type { EventPoller } from "../event-poller/event-poller.ts";
import type { Lane } from "../lane/lane.ts";
import type { MemoryBudget } from "../node/memory-budget.ts";
import type { PollerNode } from "../node/poller-node.ts";

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export interface PollerApiOptions {
  readonly nodeId: string;
  readonly node: PollerNode;
  readonly memory: MemoryBudget;
  readonly clock: Clock;
  readonly isConnected: () => boolean;
  readonly driver: DriverCapabilities;
}

/** PollerService: a snapshot of what runs here, and drain. */
export function pollerApi(options: PollerApiOptions): (router: ConnectRouter) => void {
  const startTime = timestampFromMs(options.clock.wallMs());
  return (router) =>
    router.service(poller.PollerService, {
      describePoller({ mappingId }) {
        if (mappingId !== undefined && !UUID.test(mappingId)) {
          throw new PenstockError("invalidArgument", "mapping_id must be a UUID.", {
            violations: [{ field: "mapping_id", description: "must be a UUID" }],
          });
        }
        const { node, memory } = options;
        const wanted = [...node.pollers()].filter(
          (each) => mappingId === undefined || each.settings().mappingId === mappingId,
        );
        return create(poller.DescribePollerResponseSchema, {
          nodeId: options.nodeId,
          startTime,
          generation: node.appliedGeneration,
          isConnected: options.isConnected(),
          isDraining: node.isDraining,
          bufferedBytes: BigInt(memory.bytes),
          bufferedBytesMax: BigInt(memory.bytesMax),
          eventPollers: wanted.map((each) => describe(each, options.clock)),
          kafkaDriver: describeDriver(options.driver),
        });
      },
      drain() {
        const eventPollers = [...options.node.pollers()].length;
        void options.node.drain();
        return create(poller.DrainResponseSchema, { eventPollers });
      },
    });
}

function describeDriver({ driver, ...capabilities }: DriverCapabilities): poller.KafkaDriver {
  return create(poller.KafkaDriverSchema, { name: driver, ...capabilities });
}

function describe(each: EventPoller, clock: Clock): poller.EventPoller {
  const settings = each.settings();
  return create(poller.EventPollerSchema, {
    mappingId: settings.mappingId,
    index: settings.index,
    consumerGroupId: settings.consumerGroupId,
    memberId: each.memberId,
    memberEpoch: each.state.memberEpoch,
    state: stateOf(each),
    problem: each.presentProblem?.message ?? "",
    functionName: settings.functionName,
    lanes: [...each.lanes()]
      .sort((a, b) => a.assignment.partition - b.assignment.partition)
      .map((lane) => describeLane(lane, each, clock)),
  });
}

function stateOf(each: EventPoller): poller.EventPollerState {
  if (each.state.phase === "left") return poller.EventPollerState.STOPPED;
  if (each.isClosing) return poller.EventPollerState.DRAINING;
  return each.state.phase === "joining"
    ? poller.EventPollerState.JOINING
    : poller.EventPollerState.RUNNING;
}

function describeLane(lane: Lane, each: EventPoller, clock: Clock): poller.Lane {
  const { phase, assignment } = lane;
  return create(poller.LaneSchema, {
    topic: assignment.topic,
    partition: assignment.partition,
    assignmentEpoch: assignment.epoch,
    position: lane.queue.nextOffset,
    committedOffset: lane.committed,
    logEndOffset: lane.logEnd,
    lag: lane.lag,
    bufferedRecords: lane.queue.recordCount,
    bufferedBytes: BigInt(Math.round(lane.queue.bytes)),
    waitingFor: waitOf(lane, each),
    waitingSince: timestampFromMs(lane.phaseSinceWallMs),
    failedAttempts: lane.batchInHand?.failedAttempts ?? 0,
    lastError: lane.lastError,
    ...(phase.is === "waiting" && {
      retryIn: durationFromMs(Math.max(0, Math.round(phase.untilMs - clock.nowMs()))),
    }),
  });
}

function waitOf(lane: Lane, each: EventPoller): poller.LaneWait {
  const { phase } = lane;
  if (lane.drainUntilMs !== null) return poller.LaneWait.HANDOVER;
  switch (phase.is) {
    case "starting":
      return poller.LaneWait.POSITION;
    case "calling":
      return poller.LaneWait.FUNCTION;
    case "waiting":
      return phase.why === "retry" ? poller.LaneWait.RETRY : poller.LaneWait.THROTTLED;
    case "stopped":
      return poller.LaneWait.OPERATOR;
    case "idle":
      if (!each.mayDispatch()) return poller.LaneWait.MEMBERSHIP;
      return lane.queue.recordCount > 0 ? poller.LaneWait.WINDOW : poller.LaneWait.RECORDS;
    case "dead":
      return poller.LaneWait.UNSPECIFIED;
  }
}
