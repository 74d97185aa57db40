import { PenstockError } from "@penstock/core";
import type { Database } from "@penstock/postgres";
import { lockFunctionChanges, noteFunctionChange } from "./note-function-change.ts";

/**
 * Deletes a function; its mappings stay.
 *
 * @throws PenstockError `notFound`.
 */
export async function deleteFunction(db: Database, name: string): Promise<void> {
  await db.transaction(async (sql) => {
    await lockFunctionChanges(sql);
    const deleted = await sql`delete from functions where name = ${name}`;
    if (deleted.count === 0) throw functionMissing(name);
    await noteFunctionChange(sql, name, true);
  });
}

export function functionMissing(name: string): PenstockError {
  return new PenstockError(
    "notFound",
    `There is no function ${JSON.stringify(name.slice(0, 64))}.`,
  );
}
