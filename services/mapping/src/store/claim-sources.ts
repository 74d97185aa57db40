import { PenstockError } from "@penstock/core";
import type { Sql } from "@penstock/postgres";

export interface SourceClaim {
  readonly mappingId: string;
  readonly functionArn: string;
  readonly bootstrapServers: readonly string[];
  readonly topic: string;
}

/**
 * AWS's duplicate rule: one mapping for each (function ARN, bootstrap server, topic). The primary key decides, so two
 * callers at once can't both win: the second waits for the first one's transaction. Host names are compared without case.
 *
 * @throws PenstockError `conflict` in AWS's words, naming the mapping that is there.
 */
export async function claimSources(sql: Sql, claim: SourceClaim): Promise<void> {
  const servers = [...new Set(claim.bootstrapServers.map((server) => server.toLowerCase()))].sort();
  await sql`delete from mapping_sources where mapping_id = ${claim.mappingId}`;
  const claimed = await sql`
    insert into mapping_sources (function_arn, bootstrap_server, topic, mapping_id)
    select ${claim.functionArn}, server, ${claim.topic}, ${claim.mappingId}
      from unnest(${servers}::text[]) as server
     order by server
    on conflict do nothing`;
  if (claimed.count === servers.length) return;
  const holders = await sql<{ mapping_id: string }[]>`
    select mapping_id from mapping_sources
     where function_arn = ${claim.functionArn} and topic = ${claim.topic}
       and bootstrap_server = any(${servers}::text[]) and mapping_id <> ${claim.mappingId}
     limit 1`;
  throw new PenstockError(
    "conflict",
    `An event source mapping with event source ("${claim.bootstrapServers.join(",")}"), function ("${claim.functionArn}"), ` +
      `topics ("${claim.topic}") already exists. Please update or delete the existing mapping with UUID ${holders[0]?.mapping_id ?? ""}`,
  );
}
