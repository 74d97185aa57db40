import { PenstockError } from "@penstock/core";
import type { Caller } from "@penstock/runtime";
import type { NodeIdentity, NodeStream } from "./node-stream.ts";

/**
 * Whether the caller may be the node that it says it is: of the service that its credential is for, and the one node that it is bound to, if it
 * is. Whom a node id belongs to once it has joined is checked where it is claimed.
 *
 * @throws PenstockError `permissionDenied`
 */
export function admitNode(caller: Caller, said: Omit<NodeIdentity, "credential">): NodeIdentity {
  const { subject, nodeServices, nodeId } = caller;
  // Nobody has to authenticate.
  if (nodeServices === undefined) return { ...said, credential: null };
  if (!nodeServices.has(said.kind)) {
    throw denied(`The credential ${subject} is not for a node that is a ${said.kind}.`);
  }
  if (nodeId !== null && nodeId !== said.nodeId) {
    throw denied(`The credential ${subject} is for the node ${nodeId} (PENSTOCK_NODE_ID).`);
  }
  return { ...said, credential: subject };
}

/** What is run, and how far it is, only pollers know. @throws PenstockError `permissionDenied` */
export function requirePollerStream({ identity }: NodeStream, message: string): void {
  if (identity.kind === "poller") return;
  throw denied(`Only a poller sends \`${message}\`; this stream is of the ${identity.kind} kind.`);
}

/** Archived positions are for pollers. @throws PenstockError `permissionDenied` */
export function requirePoller({ subject, nodeServices }: Caller): void {
  if (nodeServices === undefined || nodeServices.has("poller")) return;
  throw denied(`The credential ${subject} is not for a poller.`);
}

/** Somebody else's node. */
export function foreignNode(nodeId: string): PenstockError {
  return denied(`The node ${nodeId} has joined with another credential.`);
}

function denied(message: string): PenstockError {
  return new PenstockError("permissionDenied", message);
}
