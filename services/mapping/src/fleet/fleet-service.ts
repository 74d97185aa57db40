import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { PenstockError } from "@penstock/core";
import type { Sql } from "@penstock/postgres";
import { fleet } from "@penstock/proto";
import { type Caller, callerOf, peerOf } from "@penstock/runtime";
import { holdersFragment } from "./reports/known-mappings.ts";
import { requireAtLeast, requireCount, requireUuid } from "./reports/report-fields.ts";
import { admitNode, requirePoller } from "./streams/admit-node.ts";
import { NodeStream } from "./streams/node-stream.ts";
import { requireOwnAddress } from "./streams/own-address.ts";
import { readHello } from "./streams/read-hello.ts";

/** What the service hands on to. */
export interface FleetServiceParts {
  readonly sql: Sql;
  /** The stream is new: greet it. Throws to refuse it. */
  joined(stream: NodeStream): void;
  /** A request after `hello`. Throws to end the stream. */
  received(stream: NodeStream, request: fleet.JoinRequest): void;
  /** The stream is over; `inOrder` when the node itself ended it. Never rejects. */
  ended(stream: NodeStream, inOrder: boolean): Promise<void>;
}

/** Partitions in one question for positions. */
const PARTITIONS_MAX = 100_000;

/** The FleetService of the proto: streams in and out, no state of its own. */
export function createFleetService(
  parts: FleetServiceParts,
): ServiceImpl<typeof fleet.FleetService> {
  return {
    join: (requests, context) => join(parts, requests, context),
    getPositions: (request, context) => {
      const caller = callerOf(context);
      requirePoller(caller);
      return getPositions(parts.sql, request, caller);
    },
  };
}

async function* join(
  parts: FleetServiceParts,
  requests: AsyncIterable<fleet.JoinRequest>,
  context: HandlerContext,
): AsyncGenerator<fleet.JoinResponse> {
  const incoming = requests[Symbol.asyncIterator]();
  const first = await incoming.next();
  const hello = readHello(first.done ? undefined : first.value);
  const caller = callerOf(context);
  const identity = admitNode(caller, hello);
  await requireOwnAddress(identity.address, caller, peerOf(context));
  const stream = new NodeStream(identity);
  parts.joined(stream);
  const abort = () => stream.outbox.end();
  context.signal.addEventListener("abort", abort);
  if (context.signal.aborted) abort();
  const end = { inOrder: false, failure: null as PenstockError | null };
  const reading = read(parts, stream, incoming, end).finally(abort);
  try {
    yield* stream.outbox.messages();
    const failure = end.failure ?? stream.refusal;
    if (failure !== null) throw failure;
  } finally {
    context.signal.removeEventListener("abort", abort);
    stream.outbox.end();
    await parts.ended(stream, end.inOrder);
  }
  // The other side may not have closed its half; a stream that was ended here doesn't wait for that.
  void reading;
}

async function read(
  parts: FleetServiceParts,
  stream: NodeStream,
  incoming: AsyncIterator<fleet.JoinRequest>,
  end: { inOrder: boolean; failure: PenstockError | null },
): Promise<void> {
  try {
    for (;;) {
      const next = await incoming.next();
      if (next.done) {
        end.inOrder = true;
        return;
      }
      parts.received(stream, next.value);
    }
  } catch (error) {
    // A broken stream needs no answer: the node joins again. A refused request is answered.
    if (error instanceof PenstockError) end.failure = error;
  }
}

async function getPositions(
  sql: Sql,
  request: fleet.GetPositionsRequest,
  caller: Caller,
): Promise<fleet.GetPositionsResponse> {
  const { mappingId, topicId, partitions } = request;
  requireUuid("mapping_id", mappingId);
  requireUuid("topic_id", topicId);
  requireCount("partitions", partitions.length, PARTITIONS_MAX);
  for (const partition of partitions) requireAtLeast("partitions", partition, 0);
  const rows = await sql<
    { partition: number | null; committed_offset: bigint; updated_at: Date }[]
  >`
    select p.partition, p.committed_offset, p.updated_at
      from mappings m
      left join partition_progress p
        on p.mapping_id = m.id and p.topic_id = ${topicId} and p.committed_offset >= 0
           and p.partition = any(${partitions}::int[])
     where m.id = ${mappingId} ${ofOwnNodes(sql, caller)}
     order by p.partition`;
  if (rows.length === 0) {
    throw new PenstockError("notFound", "none of the caller's nodes has such a mapping");
  }
  const positions = rows.flatMap(({ partition, committed_offset, updated_at }) =>
    partition === null
      ? []
      : create(fleet.ArchivedPositionSchema, {
          partition,
          committedOffset: committed_offset,
          updateTime: timestampFromDate(updated_at),
        }),
  );
  return create(fleet.GetPositionsResponseSchema, { positions });
}

/**
 * Mappings of nodes that have joined with the caller's credential; of the one node that it is bound to, if it is. Everybody's, while nobody
 * has to authenticate.
 */
function ofOwnNodes(sql: Sql, { subject, nodeServices, nodeId }: Caller) {
  if (nodeServices === undefined) return sql``;
  const ofNode = nodeId === null ? sql`` : sql`and n.id = ${nodeId}`;
  return sql`
    and exists (
      select 1 from (${holdersFragment(sql)}) as h
        join nodes n on n.id = h.node_id
       where h.mapping_id = m.id and n.credential = ${subject} ${ofNode})`;
}
