import { invariant } from "@penstock/core";
import { notify, type Sql } from "@penstock/postgres";

/** Channel on which every change of the registry is announced; the payload is the function's name. */
export const FUNCTIONS_CHANNEL = "penstock_functions";

/**
 * First statement of every change of the registry: changes commit in the order of their numbers, so that whoever asks for
 * "after number n" misses none. Readers don't wait.
 */
export async function lockFunctionChanges(sql: Sql): Promise<void> {
  await sql`lock table function_changes in exclusive mode`;
}

/** Numbers a change and counts the function's revision, also over deletions. Returns the new revision. */
export async function noteFunctionChange(
  sql: Sql,
  name: string,
  isDeleted: boolean,
): Promise<bigint> {
  const rows = await sql<{ revision: bigint }[]>`
    insert into function_changes (name, revision, is_deleted) values (${name}, 1, ${isDeleted})
    on conflict (name) do update
       set change = nextval('function_change'),
           revision = function_changes.revision + 1,
           is_deleted = excluded.is_deleted
    returning revision`;
  await notify(sql, FUNCTIONS_CHANNEL, name);
  invariant(rows[0], "an upsert returned no row");
  return rows[0].revision;
}
