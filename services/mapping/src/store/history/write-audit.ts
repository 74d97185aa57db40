import type { ErrorCode } from "@penstock/core";
import type { Sql } from "@penstock/postgres";

/** Something that a caller changed or saw. */
export interface AuditEntry {
  /** The caller's subject. */
  readonly actor: string;
  /** Name of the operation, such as `UpdateEventSourceMapping`. */
  readonly method: string;
  /** What it was done to: an ARN, or a function's name. */
  readonly resource: string;
  /** `ok`, or the code of the refusal. Default `ok`. */
  readonly outcome?: ErrorCode | "ok";
  /** Without secrets; default null. */
  readonly before?: object | null;
  readonly after?: object | null;
}

/** Writes who did what, in the transaction of its effect. */
export async function writeAudit(sql: Sql, entry: AuditEntry): Promise<void> {
  const [before, after] = [entry.before ?? null, entry.after ?? null];
  await sql`
    insert into audit_events (actor, method, resource, outcome, before, after)
    values (${entry.actor}, ${entry.method}, ${entry.resource}, ${entry.outcome ?? "ok"},
            ${before && sql.json(before)}, ${after && sql.json(after)})`;
}
