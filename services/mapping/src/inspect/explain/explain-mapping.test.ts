import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { mapping, poller } from "@penstock/proto";
import { describe, expect, it } from "vitest";
import type { StoredMapping } from "../../store/rows/stored-mapping.ts";
import { type ExplainFacts, explainMapping } from "./explain-mapping.ts";
import type { StoredPoller } from "./read-run.ts";

const { MappingState, PartitionWait } = mapping;
const { EventPollerState, LaneWait } = poller;

const stored = (index: number, nodeId: string, problem: string | null = null): StoredPoller => ({
  index,
  nodeId,
  address: "127.0.0.1:7401",
  problem,
  memberId: `member-${index}`,
});

const lane = (
  partition: number,
  more: Partial<Omit<poller.Lane, "$typeName" | "$unknown">> = {},
): poller.Lane =>
  create(poller.LaneSchema, {
    topic: "orders",
    partition,
    assignmentEpoch: 2,
    position: 10n,
    committedOffset: 8n,
    logEndOffset: 20n,
    lag: 12n,
    waitingFor: LaneWait.FUNCTION,
    ...more,
  });

const live = (
  index: number,
  lanes: poller.Lane[],
  state: poller.EventPollerState = EventPollerState.RUNNING,
) => create(poller.EventPollerSchema, { index, state, lanes });

function explained(facts: {
  shown?: Partial<mapping.EventSourceMapping>;
  pollers?: StoredPoller[];
  answers?: ExplainFacts["answers"];
  partitionCount?: number;
  foreigners?: [number, string][];
  isEnabled?: boolean;
}) {
  return explainMapping({
    view: {
      mapping: { topic: "orders", isEnabled: facts.isEnabled ?? true } as StoredMapping,
      partitions: [],
      gaps: [],
      waitingForNodes: [],
      filterError: null,
    },
    shown: create(mapping.EventSourceMappingSchema, {
      state: MappingState.ENABLED,
      ...(facts.shown as object),
    }),
    run: {
      stateSince: new Date(0),
      partitionCount: facts.partitionCount ?? 1,
      pollers: facts.pollers ?? [stored(0, "a")],
    },
    answers: facts.answers ?? new Map([["a", [live(0, [lane(0)])]]]),
    foreignOwners: facts.foreigners ? new Map(facts.foreigners) : null,
  });
}

describe("explainMapping", () => {
  it("says what each lane waits for, in words, with its last error", () => {
    const retrying = lane(1, {
      waitingFor: LaneWait.RETRY,
      failedAttempts: 2,
      lastError: "answered 500",
      retryIn: durationFromMs(1_500),
    });
    const answer = explained({
      partitionCount: 2,
      answers: new Map([["a", [live(0, [lane(0), retrying])]]]),
    });
    expect(answer.partitions.map(({ waitingFor }) => waitingFor)).toEqual([
      PartitionWait.FUNCTION,
      PartitionWait.RETRY,
    ]);
    expect(answer.partitions[1]?.explanation).toBe(
      "The function failed: 2 failed attempts. Next attempt in 1500 ms. Last error: answered 500",
    );
    expect(answer.summary).toContain("2 partitions, lag 24");
  });

  it("takes the newer assignment of a partition that is moving", () => {
    const answer = explained({
      pollers: [stored(0, "a"), stored(1, "b")],
      answers: new Map([
        ["a", [live(0, [lane(0, { assignmentEpoch: 4 })])]],
        ["b", [live(1, [lane(0, { assignmentEpoch: 3, waitingFor: LaneWait.HANDOVER })])]],
      ]),
    });
    expect(answer.partitions).toHaveLength(1);
    expect(answer.partitions[0]).toMatchObject({ nodeId: "a", waitingFor: PartitionWait.FUNCTION });
  });

  it("names silent nodes, and does not make up what they do", () => {
    const answer = explained({ answers: new Map([["a", null]]) });
    expect(answer.silentNodes).toEqual(["a"]);
    expect(answer.eventPollers[0]?.state).toBe("");
    expect(answer.partitions[0]).toMatchObject({
      waitingFor: PartitionWait.UNSPECIFIED,
      position: -1n,
      lag: -1n,
    });
  });

  it.each([
    ["disabled", { isEnabled: false }, PartitionWait.DISABLED, "disabled"],
    ["deleting", { shown: { state: MappingState.DELETING } }, PartitionWait.DISABLED, "deleted"],
    [
      "a foreign member",
      { foreigners: [[0, "console (m-9)"]] as [number, string][] },
      PartitionWait.OWNER,
      "console (m-9)",
    ],
    ["nobody placed", { pollers: [], answers: new Map() }, PartitionWait.OWNER, "No event poller"],
    [
      "joining",
      { answers: new Map([["a", [live(0, [], EventPollerState.JOINING)]]]) },
      PartitionWait.MEMBERSHIP,
      "is joining",
    ],
    [
      "brokers that refuse",
      {
        shown: {
          problem: create(mapping.MappingProblemSchema, {
            code: "kafkaAuthentication",
            message: "SASL refused",
          }),
        },
      },
      PartitionWait.BROKER,
      "SASL refused",
    ],
  ])("explains an unowned partition: %s", (_, facts, waitingFor, words) => {
    const answer = explained({ answers: new Map([["a", [live(0, [])]]]), ...facts });
    expect(answer.partitions[0]?.waitingFor).toBe(waitingFor);
    expect(answer.partitions[0]?.explanation).toContain(words);
  });
});
