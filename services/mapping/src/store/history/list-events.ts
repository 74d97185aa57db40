import type { MappingState } from "@penstock/core";
import type { Sql } from "@penstock/postgres";

export interface EventRow {
  id: bigint;
  at: Date;
  kind: string;
  message: string;
  actor: string;
  state_before: MappingState | null;
  state_after: MappingState | null;
}

/** At most `limit` events of a mapping, newest first, those before `before` (null = from the newest). */
export async function listEvents(
  sql: Sql,
  mappingId: string,
  before: bigint | null,
  limit: number,
): Promise<readonly EventRow[]> {
  const older = before === null ? sql`` : sql`and id < ${before}`;
  return sql<EventRow[]>`
    select id, at, kind, message, actor, state_before, state_after from mapping_events
     where mapping_id = ${mappingId} ${older}
     order by id desc
     limit ${limit}`;
}
