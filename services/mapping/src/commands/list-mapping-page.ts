import { parseFunctionReference } from "@penstock/core";
import type { Sql } from "@penstock/postgres";
import { listMappings } from "../store/list-mappings.ts";
import type { ListMappingsQuery, MappingPage } from "./mapping-commands.ts";

/** AWS: at most 100 on a page, whatever is asked for. */
export const MAPPINGS_PER_PAGE_MAX = 100;

export async function listMappingPage(
  sql: Sql,
  { functionName, eventSourceArn }: ListMappingsQuery,
  after: bigint | null,
  size: number,
): Promise<MappingPage> {
  const functionRef =
    functionName === undefined ? null : parseFunctionReference("function_name", functionName);
  if (eventSourceArn !== undefined) return { mappings: [], next: null };
  const limit = Math.min(size, MAPPINGS_PER_PAGE_MAX);
  const found = await listMappings(sql, { functionRef }, after ?? 0n, limit + 1);
  const mappings = found.slice(0, limit);
  const last = mappings.at(-1);
  return { mappings, next: found.length > limit && last ? last.sequence : null };
}
