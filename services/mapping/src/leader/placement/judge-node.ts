/**
 * What a node may be given.
 *
 * - `accepting`: seen lately, takes event pollers
 * - `draining`: seen lately, gives up what it has
 * - `silent`: not seen lately, but in a period in which nobody is declared gone: keeps what it has, gets nothing new
 * - `gone`: vanished; what it had is placed elsewhere
 */
export type NodeCondition = "accepting" | "draining" | "silent" | "gone";

export interface NodeSighting {
  readonly isSeenLately: boolean;
  readonly isDraining: boolean;
}

/** `isGrace`: an election or an outage of the database is so recent that nodes could not be seen. */
export function judgeNode(sighting: NodeSighting, isGrace: boolean): NodeCondition {
  if (!sighting.isSeenLately) return isGrace ? "silent" : "gone";
  return sighting.isDraining ? "draining" : "accepting";
}
