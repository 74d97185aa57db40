import { type MappingSettings, PenstockError } from "@penstock/core";
import type { Caller } from "@penstock/runtime";
import { writeAudit } from "../store/history/write-audit.ts";
import type { MappingCommandParts } from "./mapping-command-parts.ts";

/**
 * Asks whether a caller may use a mapping's secrets with its brokers: to create or change the mapping, to send its records to another function, to look at
 * its records. A refusal is audited: it may be an attempt at somebody else's secret.
 *
 * @throws PenstockError `secretDenied`.
 */
export async function assertSourceUse(
  { db, checkSource }: MappingCommandParts,
  caller: Caller,
  method: string,
  source: Pick<MappingSettings, "sourceAccess" | "bootstrapServers" | "topic">,
): Promise<void> {
  const { sourceAccess, bootstrapServers, topic } = source;
  try {
    await checkSource?.(caller, sourceAccess, bootstrapServers);
  } catch (error) {
    if (error instanceof PenstockError && error.code === "secretDenied") {
      await writeAudit(db.sql, {
        actor: caller.subject,
        method,
        resource: `${bootstrapServers.join(",")} ${topic}`,
        outcome: error.code,
        after: { sourceAccess },
      });
    }
    throw error;
  }
}
