import { invariant } from "@penstock/core";
import type { Sql } from "@penstock/postgres";
import { assertEtag } from "./etag.ts";
import { lockMapping } from "./find-mapping.ts";
import { mappingColumns } from "./rows/mapping-columns.ts";
import { type MappingRow, type StoredMapping, toStoredMapping } from "./rows/stored-mapping.ts";

export interface Deletion {
  readonly etag?: string | undefined;
  /** Also delete the consumer group from Kafka. Once asked for it stays so. */
  readonly deletesConsumerGroup: boolean;
}

/**
 * Marks a mapping as Deleting; a controller removes the row when nothing can call any more. Again while Deleting changes nothing but that the
 * consumer group goes too.
 *
 * @throws PenstockError `notFound`, `aborted` for another etag.
 */
export async function markMappingDeleting(
  sql: Sql,
  id: string,
  { etag, deletesConsumerGroup }: Deletion,
): Promise<{ readonly before: StoredMapping; readonly after: StoredMapping }> {
  const { mapping: before } = await lockMapping(sql, id);
  assertEtag(before, etag);
  const rows = await sql<MappingRow[]>`
    update mappings
       set state = 'Deleting', state_reason = 'USER_INITIATED',
           state_since = case when state = 'Deleting' then state_since else now() end,
           deletes_consumer_group = deletes_consumer_group or ${deletesConsumerGroup}
     where id = ${id}
    returning ${mappingColumns(sql)}`;
  invariant(rows[0], "a locked mapping is gone");
  return { before, after: toStoredMapping(rows[0]) };
}
