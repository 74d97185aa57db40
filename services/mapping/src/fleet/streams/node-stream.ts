import type { PenstockError } from "@penstock/core";
import type { fleet } from "@penstock/proto";
import { Outbox } from "./outbox.ts";

export type NodeKind = "poller" | "invoker";

/** Who joined, as it said. */
export interface NodeIdentity {
  readonly nodeId: string;
  readonly kind: NodeKind;
  readonly address: string;
  readonly version: string;
  /** Subject of the credential that it joined with; null while nobody has to authenticate. */
  readonly credential: string | null;
}

/**
 * One node's stream as this replica knows it: who it is, what it was last told, what it last said. Lives as long as the stream.
 */
export class NodeStream {
  readonly identity: NodeIdentity;
  readonly outbox: Outbox = new Outbox();
  /** Whether the node's row says that this replica has its stream. */
  isClaimed = false;
  /** Another stream took the node over: nothing of this one is stored any more. */
  isReplaced = false;
  /** Why the stream was ended from here, for the node. */
  refusal: PenstockError | null = null;
  /** What the node holds, as last said; null until it said so. `areHoldingsStored` is false while that is newer than the tables. */
  holdings: fleet.Holdings | null = null;
  areHoldingsStored = true;
  /** Generation that was last put into the outbox. */
  generation = -1n;
  /** Consumer groups that the node was told to be in. */
  groups: ReadonlySet<string> = new Set();
  /** By function name: the version of the entry that was sent; null before the snapshot. */
  functionsSent: Map<string, number> | null = null;
  /** What an invoker uses of each function, as last said. */
  shareUse: readonly fleet.FunctionUse[] = [];

  constructor(identity: NodeIdentity) {
    this.identity = identity;
  }
}
