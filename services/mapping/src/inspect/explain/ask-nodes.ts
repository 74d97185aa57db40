import { createClient } from "@connectrpc/connect";
import { poller } from "@penstock/proto";
import type { RpcTransport } from "@penstock/runtime";

/** Opens a client connection to a poller node at `host:port`. */
export type DialNode = (address: string) => RpcTransport;

/** What a node says of its event pollers of one mapping; null when it did not answer. */
export type NodeAnswers = ReadonlyMap<string, readonly poller.EventPoller[] | null>;

/** For all nodes together: they are asked at once. */
const ANSWER_MS_MAX = 2_000;
/** A mapping has at most 200 event pollers; more nodes than this are not asked and count as silent. */
const NODES_MAX = 64;

/** Asks each node for what it runs of the mapping. Never fails: who does not answer in time is silent. */
export async function askNodes(
  dial: DialNode,
  mappingId: string,
  nodes: ReadonlyMap<string, string>,
): Promise<NodeAnswers> {
  const asked = [...nodes].slice(0, NODES_MAX);
  const answers = await Promise.all(
    asked.map(async ([nodeId, address]) => [nodeId, await ask(dial, mappingId, address)] as const),
  );
  const silent = [...nodes.keys()].map((nodeId) => [nodeId, null] as const);
  return new Map([...silent, ...answers]);
}

async function ask(dial: DialNode, mappingId: string, address: string) {
  let transport: RpcTransport | null = null;
  try {
    transport = dial(address);
    const client = createClient(poller.PollerService, transport);
    const answer = await client.describePoller({ mappingId }, { timeoutMs: ANSWER_MS_MAX });
    return answer.eventPollers;
  } catch {
    // The caller says that this node is silent; why is in the node's own log.
    return null;
  } finally {
    transport?.close();
  }
}
