import { functionArn, type MappingSettings, PenstockError } from "@penstock/core";
import type { Sql } from "@penstock/postgres";
import { assertFunctionExists } from "./assert-function-exists.ts";
import { claimSources } from "./claim-sources.ts";
import { mappingColumns } from "./rows/mapping-columns.ts";
import { mutableColumns } from "./rows/mutable-columns.ts";
import { filterColumns } from "./rows/stored-filter.ts";
import { type MappingRow, type StoredMapping, toStoredMapping } from "./rows/stored-mapping.ts";
import type { StoreContext } from "./store-context.ts";

/**
 * Stores a new mapping in state Creating; a controller takes it from there.
 *
 * @throws PenstockError `conflict` for a duplicate source or consumer group id, `invalidArgument` for an unknown function.
 */
export async function insertMapping(
  sql: Sql,
  context: StoreContext,
  id: string,
  settings: MappingSettings,
): Promise<StoredMapping> {
  await assertFunctionExists(sql, settings.functionRef.name);
  const stored = await insertRow(sql, context, id, settings);
  await claimSources(sql, {
    mappingId: id,
    functionArn: functionArn(context.scope, settings.functionRef),
    bootstrapServers: settings.bootstrapServers,
    topic: settings.topic,
  });
  return stored;
}

async function insertRow(sql: Sql, context: StoreContext, id: string, settings: MappingSettings) {
  const timestamp = settings.startingPositionTimestampMs;
  const row = {
    id,
    ...mutableColumns(context, settings),
    ...filterColumns(context.filters, id, settings),
    bootstrap_servers: settings.bootstrapServers,
    topic: settings.topic,
    consumer_group_id: settings.consumerGroupId ?? id,
    starting_position: settings.startingPosition,
    starting_position_timestamp: timestamp === null ? null : new Date(timestamp),
    state: "Creating",
  };
  const rows = await sql<MappingRow[]>`
    insert into mappings ${sql(row)}
    on conflict (consumer_group_id) do nothing
    returning ${mappingColumns(sql)}`;
  if (rows[0]) return toStoredMapping(rows[0]);
  throw await groupConflict(sql, row.consumer_group_id);
}

async function groupConflict(sql: Sql, groupId: string): Promise<PenstockError> {
  const rows = await sql<{ id: string }[]>`
    select id from mappings where consumer_group_id = ${groupId}`;
  return new PenstockError(
    "conflict",
    `The event source mapping with UUID ${rows[0]?.id ?? ""} has the consumer group id ${groupId} already. ` +
      "Choose another one, or leave it out.",
  );
}
