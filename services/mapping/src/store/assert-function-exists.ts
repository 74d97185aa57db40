import { invalidField } from "@penstock/core";
import type { Sql } from "@penstock/postgres";

/** AWS's words; INVALID_ARGUMENT and not NOT_FOUND, as there. */
const MISSING = "Function does not exist";

/** @throws PenstockError `invalidArgument` when the registry has no such function. */
export async function assertFunctionExists(sql: Sql, name: string): Promise<void> {
  const rows = await sql`select 1 from functions where name = ${name}`;
  if (rows.length > 0) return;
  throw invalidField("function_name", MISSING);
}
