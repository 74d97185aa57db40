import type { Sql } from "@penstock/postgres";
import {
  type FunctionRow,
  functionColumns,
  type StoredFunction,
  toStoredFunction,
} from "./stored-function.ts";

/** The function, or null. */
export async function findFunction(sql: Sql, name: string): Promise<StoredFunction | null> {
  const rows = await sql<FunctionRow[]>`
    select ${functionColumns(sql)} from functions where name = ${name}`;
  return rows[0] ? toStoredFunction(rows[0]) : null;
}

/** At most `limit` functions by name, those after `after`. Names sort by bytes, whatever the database's language. */
export async function listFunctions(
  sql: Sql,
  after: string,
  limit: number,
): Promise<StoredFunction[]> {
  const rows = await sql<FunctionRow[]>`
    select ${functionColumns(sql)} from functions
     where name collate "C" > ${after}
     order by name collate "C"
     limit ${limit}`;
  return rows.map(toStoredFunction);
}

/** All functions that changed after a number of change and still exist. */
export async function readChangedFunctions(sql: Sql, after: bigint): Promise<StoredFunction[]> {
  const rows = await sql<FunctionRow[]>`
    select ${functionColumns(sql)} from functions
     where name in (select name from function_changes where change > ${after} and not is_deleted)`;
  return rows.map(toStoredFunction);
}

/** Names that were deleted after a number of change. */
export async function readRemovedFunctions(sql: Sql, after: bigint): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select name from function_changes where change > ${after} and is_deleted`;
  return rows.map((row) => row.name);
}

/** The number of the last change; 0 when there was none. */
export async function readLastChange(sql: Sql): Promise<bigint> {
  const rows = await sql<{ change: bigint | null }[]>`
    select max(change) as change from function_changes`;
  return rows[0]?.change ?? 0n;
}
