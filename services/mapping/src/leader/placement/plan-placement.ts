import {
  type Placement,
  type PlacementNode,
  placeEventPollers,
  type WantedEventPollers,
  wantedEventPollerCount,
} from "@penstock/core";
import type { MappingFacts } from "../mapping-view.ts";
import type { NodeFacts } from "./node-view.ts";

/** An assignment as it is in the table. */
export interface StoredAssignment extends Placement {
  /** The revision that the node was told with it. */
  readonly revision: bigint;
}

/** What to change in the table of assignments. */
export interface PlacementPlan {
  readonly added: readonly StoredAssignment[];
  readonly removed: readonly Placement[];
  /** Same place, new settings. */
  readonly revised: readonly StoredAssignment[];
  /** Nodes that have to be told. */
  readonly nodeIds: readonly string[];
  /** Groups whose members are about to change; not those that only start. */
  readonly changingGroups: readonly string[];
}

/** Whether event pollers of the mapping are to run: never before its start is pinned. */
export function isWanted(mapping: MappingFacts): boolean {
  const isStopping = mapping.state === "Disabling" || mapping.state === "Deleting";
  return !isStopping && mapping.isEnabled && mapping.arePinned && mapping.partitionCount !== null;
}

/** Null when nothing has to change. */
export function planPlacement(
  mappings: Iterable<MappingFacts>,
  nodes: readonly NodeFacts[],
  current: readonly StoredAssignment[],
): PlacementPlan | null {
  const wantedById = new Map<string, MappingFacts>();
  const groupOf = new Map<string, string>();
  const wanted: WantedEventPollers[] = [];
  for (const mapping of mappings) {
    groupOf.set(mapping.id, mapping.consumerGroupId);
    if (!isWanted(mapping)) continue;
    wantedById.set(mapping.id, mapping);
    const count = wantedEventPollerCount(mapping.minimumPollers, mapping.partitionCount ?? 1);
    wanted.push({ mappingId: mapping.id, count });
  }
  const next = placeEventPollers(wanted, nodes.flatMap(toPlacementNode), current);
  const before = new Map(current.map((one) => [keyOf(one), one]));
  const after = new Set(next.map(keyOf));
  const added: StoredAssignment[] = [];
  const revised: StoredAssignment[] = [];
  for (const placement of next) {
    const { revision } = wantedById.get(placement.mappingId) ?? { revision: 0n };
    const known = before.get(keyOf(placement));
    if (known === undefined) added.push({ ...placement, revision });
    else if (known.revision !== revision) revised.push({ ...placement, revision });
  }
  const removed = current.filter((one) => !after.has(keyOf(one)));
  if (added.length + removed.length + revised.length === 0) return null;
  const hadMembers = new Set(current.map((one) => one.mappingId));
  const changing = [...added, ...removed].filter((one) => hadMembers.has(one.mappingId));
  const groups = changing.flatMap((one) => groupOf.get(one.mappingId) ?? []);
  return {
    added,
    removed,
    revised,
    nodeIds: [...new Set([...added, ...removed, ...revised].map((one) => one.nodeId))],
    changingGroups: [...new Set(groups)],
  };
}

/** Nodes that keep or take; the others are left. */
function toPlacementNode({ nodeId, kind, condition }: NodeFacts): PlacementNode[] {
  if (kind !== "poller" || condition === "gone" || condition === "draining") return [];
  return [{ nodeId, accepts: condition === "accepting" }];
}

function keyOf(placement: Placement): string {
  return `${placement.mappingId}/${placement.index}@${placement.nodeId}`;
}
