import { PenstockError } from "@penstock/core";
import type { Sql } from "@penstock/postgres";
import { lockFunctionChanges, noteFunctionChange } from "./note-function-change.ts";
import { findFunction } from "./read-functions.ts";
import type { StoredFunction } from "./stored-function.ts";

/**
 * Deletes a function and answers what it was; its mappings stay.
 *
 * @throws PenstockError `notFound`.
 */
export async function deleteFunction(sql: Sql, name: string): Promise<StoredFunction> {
  await lockFunctionChanges(sql);
  const before = await findFunction(sql, name);
  if (before === null) throw functionMissing(name);
  await sql`delete from functions where name = ${name}`;
  await noteFunctionChange(sql, name, true);
  return before;
}

export function functionMissing(name: string): PenstockError {
  return new PenstockError(
    "notFound",
    `There is no function ${JSON.stringify(name.slice(0, 64))}.`,
  );
}
