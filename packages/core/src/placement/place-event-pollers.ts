/**
 * Where event pollers run.
 *
 * What is always true of the answer, over the nodes that accept:
 * - every wanted event poller has exactly one node, as long as any node accepts;
 * - the event pollers of one mapping are spread: two nodes differ by at most one;
 * - the load is balanced: two nodes differ by at most one event poller (what stays on nodes that only keep is not counted);
 * - nothing moves that already satisfies the above: a second run on the answer changes nothing.
 *
 *     current ─ drop what is not wanted ─ place orphans ─ spread mappings ─ balance nodes ─▶ answer
 *
 * A mistake here costs balance, never correctness: ownership of partitions is Kafka's. Pure.
 */
import { InvariantError } from "../errors/penstock-error.ts";
import { EventPollerBoard, type Placement } from "./event-poller-board.ts";

export interface WantedEventPollers {
  readonly mappingId: string;
  /** Event pollers 0 … count - 1. */
  readonly count: number;
}

export interface PlacementNode {
  readonly nodeId: string;
  /** False: it keeps what it has and gets nothing new (it may be away for a moment). Nodes to leave are not named at all. */
  readonly accepts: boolean;
}

/** Event pollers wanted of a mapping: its minimum or one, at most one for each partition. */
export function wantedEventPollerCount(
  minimumPollers: number | null,
  partitionCount: number,
): number {
  return Math.max(1, Math.min(minimumPollers ?? 1, partitionCount));
}

/**
 * Places what is wanted. An event poller on a node that is not named moves to one that accepts; when none accepts it stays
 * where it is, so that a node that comes back finds its work.
 */
export function placeEventPollers(
  wanted: readonly WantedEventPollers[],
  nodes: readonly PlacementNode[],
  current: readonly Placement[],
): readonly Placement[] {
  const board = new EventPollerBoard(nodes.filter((node) => node.accepts).map((n) => n.nodeId));
  const keepers = new Set(nodes.filter((node) => !node.accepts).map((node) => node.nodeId));
  const stays: Placement[] = [];
  const orphans: { mappingId: string; index: number }[] = [];
  const placed = new Map<string, Map<number, string>>();
  for (const { mappingId, index, nodeId } of current) {
    const indexes = placed.get(mappingId) ?? new Map<number, string>();
    placed.set(mappingId, indexes.set(index, nodeId));
  }
  const nobodyAccepts = board.nodeIds.length === 0;
  for (const { mappingId, count } of [...wanted].sort(byMappingId)) {
    for (let index = 0; index < count; index++) {
      const nodeId = placed.get(mappingId)?.get(index);
      if (nodeId !== undefined && board.has(nodeId)) board.add(nodeId, mappingId, index);
      else if (nodeId !== undefined && (nobodyAccepts || keepers.has(nodeId))) {
        stays.push({ mappingId, index, nodeId });
      } else orphans.push({ mappingId, index });
    }
  }
  if (nobodyAccepts) return stays;
  for (const { mappingId, index } of orphans) {
    board.add(emptiestFor(board, mappingId), mappingId, index);
  }
  for (const { mappingId, count } of wanted) if (count > 1) spread(board, mappingId);
  balance(board);
  return [...stays, ...board.placements()];
}

function byMappingId(a: WantedEventPollers, b: WantedEventPollers): number {
  return a.mappingId < b.mappingId ? -1 : a.mappingId > b.mappingId ? 1 : 0;
}

function emptiestFor(board: EventPollerBoard, mappingId: string): string {
  let best = "";
  for (const nodeId of board.nodeIds) {
    if (best === "") best = nodeId;
    const difference = board.count(nodeId, mappingId) - board.count(best, mappingId);
    if (difference < 0 || (difference === 0 && board.load(nodeId) < board.load(best))) {
      best = nodeId;
    }
  }
  return best;
}

/** Ends because each move lowers the sum of squares of the mapping's counts. */
function spread(board: EventPollerBoard, mappingId: string): void {
  for (;;) {
    let most = "";
    for (const nodeId of board.nodeIds) {
      const difference = board.count(nodeId, mappingId) - board.count(most, mappingId);
      if (most === "" || difference > 0) most = nodeId;
      else if (difference === 0 && board.load(nodeId) > board.load(most)) most = nodeId;
    }
    const least = emptiestFor(board, mappingId);
    if (board.count(most, mappingId) - board.count(least, mappingId) < 2) return;
    board.move(mappingId, most, least);
  }
}

/**
 * Moves one event poller at a time from the fullest to the emptiest node. As the fullest has at least two more, some mapping has more on it than on
 * the emptiest: one more, since mappings are spread, so that moving any of these keeps its spread. The first one is taken, without looking at the
 * others: a node may have thousands.
 */
function balance(board: EventPollerBoard): void {
  for (;;) {
    let fullest = "";
    let emptiest = "";
    for (const nodeId of board.nodeIds) {
      if (fullest === "" || board.load(nodeId) > board.load(fullest)) fullest = nodeId;
      if (emptiest === "" || board.load(nodeId) < board.load(emptiest)) emptiest = nodeId;
    }
    if (board.load(fullest) - board.load(emptiest) < 2) return;
    board.move(firstWithMore(board, fullest, emptiest), fullest, emptiest);
  }
}

function firstWithMore(board: EventPollerBoard, fullest: string, emptiest: string): string {
  for (const mappingId of board.mappingsOf(fullest)) {
    if (board.count(fullest, mappingId) > board.count(emptiest, mappingId)) return mappingId;
  }
  throw new InvariantError("the fullest node has no event poller that the emptiest could have");
}
