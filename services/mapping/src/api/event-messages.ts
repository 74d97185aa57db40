import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { PenstockError, readMappingUuid } from "@penstock/core";
import type { Database } from "@penstock/postgres";
import { mapping } from "@penstock/proto";
import { findMappings, MAPPING_MISSING } from "../store/find-mapping.ts";
import { type EventRow, listEvents } from "../store/history/list-events.ts";
import { stateNumber } from "./enum-names.ts";
import { readPageKey, readPageSize, writePageToken } from "./page-token.ts";

/** A page of what happened to a mapping, newest first; also of one that is gone, while events of it are kept. */
export async function listMappingEvents(
  db: Database,
  request: mapping.ListEventSourceMappingEventsRequest,
): Promise<mapping.ListEventSourceMappingEventsResponse> {
  const uuid = readMappingUuid(request.uuid);
  const size = readPageSize(request.pageSize);
  const filter = `events:${uuid}`;
  const before = readPageKey(filter, request.pageToken);
  const found = await listEvents(db.sql, uuid, before, size + 1);
  if (found.length === 0 && before === null) await assertThere(db, uuid);
  const page = found.slice(0, size);
  const last = page.at(-1);
  const hasMore = found.length > size && last !== undefined;
  return create(mapping.ListEventSourceMappingEventsResponseSchema, {
    events: page.map(eventMessage),
    nextPageToken: hasMore ? writePageToken(filter, String(last.id)) : "",
  });
}

async function assertThere(db: Database, uuid: string): Promise<void> {
  const found = await findMappings(db.sql, [uuid]);
  if (found.length === 0) throw new PenstockError("notFound", MAPPING_MISSING);
}

function eventMessage(row: EventRow): mapping.MappingEvent {
  return create(mapping.MappingEventSchema, {
    time: timestampFromDate(row.at),
    kind: row.kind,
    message: row.message,
    actor: row.actor,
    ...(row.state_before && { stateBefore: stateNumber(row.state_before) }),
    ...(row.state_after && { stateAfter: stateNumber(row.state_after) }),
  });
}
