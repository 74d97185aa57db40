import { mapping, poller } from "@penstock/proto";

const { LaneWait } = poller;
const { PartitionWait } = mapping;

interface Row {
  readonly wait: mapping.PartitionWait;
  /** Whole sentences. */
  readonly words: (lane: poller.Lane) => string;
}

const UNKNOWN: Row = { wait: PartitionWait.UNSPECIFIED, words: () => "It is given up." };

/** What a lane waits for, in the words of the mapping's API. */
const ROWS: Readonly<Record<poller.LaneWait, Row>> = {
  [LaneWait.UNSPECIFIED]: UNKNOWN,
  [LaneWait.RECORDS]: {
    wait: PartitionWait.RECORDS,
    words: (lane) =>
      lane.lag > 0n
        ? "Its next records are being fetched or committed."
        : "Every record is delivered and committed.",
  },
  [LaneWait.WINDOW]: {
    wait: PartitionWait.WINDOW,
    words: ({ bufferedRecords: count }) =>
      `${count} ${count === 1 ? "record waits" : "records wait"} for a full batch or the window.`,
  },
  [LaneWait.FUNCTION]: {
    wait: PartitionWait.FUNCTION,
    words: (lane) =>
      lane.failedAttempts === 0
        ? "A call of the function is under way."
        : `A call of the function is under way, after ${attempts(lane)}.`,
  },
  [LaneWait.RETRY]: {
    wait: PartitionWait.RETRY,
    words: (lane) => `The function failed: ${attempts(lane)}. ${next(lane)}`,
  },
  [LaneWait.THROTTLED]: {
    wait: PartitionWait.THROTTLED,
    words: (lane) => `The function throttles or is not reached. ${next(lane)}`,
  },
  [LaneWait.MEMBERSHIP]: {
    wait: PartitionWait.MEMBERSHIP,
    words: () => "A heartbeat to the group coordinator must succeed before anything is called.",
  },
  [LaneWait.POSITION]: {
    wait: PartitionWait.POSITION,
    words: () => "Its committed offset and the ends of its log are being read.",
  },
  [LaneWait.OPERATOR]: {
    wait: PartitionWait.OPERATOR,
    words: () => "It is stopped until an operator acts.",
  },
  [LaneWait.HANDOVER]: {
    wait: PartitionWait.HANDOVER,
    words: () =>
      "It is being given to another event poller: its call and its commit are finishing.",
  },
};

/** A newer node may know a wait that this program does not. */
function rowOf({ waitingFor }: poller.Lane): Row {
  return ROWS[waitingFor] ?? UNKNOWN;
}

export function laneWait(lane: poller.Lane): mapping.PartitionWait {
  return rowOf(lane).wait;
}

export function laneExplanation(lane: poller.Lane): string {
  const words = rowOf(lane).words(lane);
  return lane.lastError === "" ? words : `${words} Last error: ${lane.lastError}`;
}

function attempts({ failedAttempts }: poller.Lane): string {
  return failedAttempts === 1 ? "1 failed attempt" : `${failedAttempts} failed attempts`;
}

function next({ retryIn }: poller.Lane): string {
  if (retryIn === undefined) return "The next attempt is near.";
  const ms = Number(retryIn.seconds) * 1000 + Math.round(retryIn.nanos / 1e6);
  return `Next attempt in ${ms} ms.`;
}
