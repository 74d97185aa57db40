import { mergeTags } from "@penstock/core";
import type { Sql } from "@penstock/postgres";

type Tags = ReadonlyMap<string, string>;

export async function readMappingTags(sql: Sql, mappingId: string): Promise<Tags> {
  const rows = await sql<{ key: string; value: string }[]>`
    select key, value from mapping_tags where mapping_id = ${mappingId} order by key`;
  return new Map(rows.map(({ key, value }) => [key, value]));
}

/** Under the mapping's lock, so that the limit holds. @throws PenstockError `invalidArgument` when there would be too many. */
export async function addMappingTags(sql: Sql, mappingId: string, added: Tags): Promise<void> {
  mergeTags(await readMappingTags(sql, mappingId), added);
  await sql`
    insert into mapping_tags (mapping_id, key, value)
    select ${mappingId}, key, value
      from unnest(${[...added.keys()]}::text[], ${[...added.values()]}::text[]) as added (key, value)
    on conflict (mapping_id, key) do update set value = excluded.value`;
}

/** Returns how many were there. */
export async function removeMappingTags(
  sql: Sql,
  mappingId: string,
  keys: readonly string[],
): Promise<number> {
  const removed = await sql`
    delete from mapping_tags where mapping_id = ${mappingId} and key = any(${keys}::text[])`;
  return removed.count;
}
