import { PenstockError } from "@penstock/core";
import { fleet } from "@penstock/proto";
import { parseAddress } from "@penstock/runtime";
import { requireText, requireUuid } from "../reports/report-fields.ts";
import type { NodeIdentity } from "./node-stream.ts";

/** The first request of a stream. FAILED_PRECONDITION unless it is `hello`. */
export function readHello(
  request: fleet.JoinRequest | undefined,
): Omit<NodeIdentity, "credential"> {
  if (request?.message.case !== "hello") {
    throw new PenstockError("inUse", "the first request of Join must be `hello`");
  }
  const { nodeId, kind, address, version } = request.message.value;
  requireUuid("hello.node_id", nodeId);
  requireText("hello.version", version, 100);
  if (parseAddress(address) === null) {
    throw new PenstockError("invalidArgument", "hello.address must be host:port", {
      violations: [{ field: "hello.address", description: "must be host:port" }],
    });
  }
  return { nodeId: nodeId.toLowerCase(), kind: kindOf(kind), address, version };
}

function kindOf(kind: fleet.NodeKind): NodeIdentity["kind"] {
  if (kind === fleet.NodeKind.POLLER) return "poller";
  if (kind === fleet.NodeKind.INVOKER) return "invoker";
  throw new PenstockError("invalidArgument", "hello.kind must be POLLER or INVOKER", {
    violations: [{ field: "hello.kind", description: "must be POLLER or INVOKER" }],
  });
}
