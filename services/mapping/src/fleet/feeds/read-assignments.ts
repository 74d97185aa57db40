import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { SourceAccess } from "@penstock/core";
import type { Sql } from "@penstock/postgres";
import { fleet, mapping } from "@penstock/proto";
import type { FilterSeal } from "../../seal/filter-seal.ts";

/** What a node is to run, and the generation at which that was so. */
export interface NodeAssignments {
  readonly generation: bigint;
  readonly eventPollers: readonly fleet.EventPollerAssignment[];
}

interface AssignmentRow {
  node_id: string;
  poller_index: number;
  mapping_id: string;
  revision: bigint;
  bootstrap_servers: string[];
  topic: string;
  consumer_group_id: string;
  batch_size: number;
  batching_window_ms: number | null;
  filter_patterns: string[] | null;
  function_name: string;
  function_qualifier: string;
  source_access: SourceAccess[];
  kms_key_arn: string | null;
  filter_sealed: Buffer | null;
}

interface PinRow {
  mapping_id: string;
  topic_id: string;
  partition: number;
  start_offset: bigint;
}

/** Window of a mapping that names none. */
const BATCHING_WINDOW_DEFAULT_MS = 500;

/** The generation of each node; a node without one has no row yet. */
export async function readGenerations(
  sql: Sql,
  nodeIds: readonly string[],
): Promise<Map<string, bigint>> {
  const rows = await sql<{ node_id: string; generation: bigint }[]>`
    select node_id, generation from node_generations where node_id = any(${nodeIds}::uuid[])`;
  return new Map(rows.map((row) => [row.node_id, row.generation]));
}

/**
 * Reads what the nodes are to run. Generations come from before the rows were read: content that is newer than its
 * generation is sent again under the next one, the reverse would confirm what was never said. A mapping whose filter can't be read is left out: without
 * it, records would be delivered that must not be.
 */
export async function readAssignments(
  sql: Sql,
  generations: ReadonlyMap<string, bigint>,
  filters: Pick<FilterSeal, "open">,
): Promise<Map<string, NodeAssignments>> {
  const nodeIds = [...generations.keys()];
  const rows = await sql<AssignmentRow[]>`
    select a.node_id, a.poller_index, a.mapping_id, m.revision, m.bootstrap_servers, m.topic,
           m.consumer_group_id, m.batch_size, m.batching_window_ms, m.filter_patterns,
           m.function_name, m.function_qualifier, m.source_access, m.kms_key_arn, m.filter_sealed
      from assignments a
      join mappings m on m.id = a.mapping_id
     where a.node_id = any(${nodeIds}::uuid[])
     order by a.mapping_id, a.poller_index`;
  const pins = await readPins(sql, [...new Set(rows.map((row) => row.mapping_id))]);
  const rowsOf = Map.groupBy(rows, (row) => row.node_id);
  const answer = new Map<string, NodeAssignments>();
  for (const [nodeId, generation] of generations) {
    const eventPollers = (rowsOf.get(nodeId) ?? []).flatMap((row) => {
      const patterns = patternsOf(row, filters);
      return patterns === null ? [] : toAssignment(row, patterns, pins.get(row.mapping_id) ?? []);
    });
    answer.set(nodeId, { generation, eventPollers });
  }
  return answer;
}

async function readPins(
  sql: Sql,
  mappingIds: readonly string[],
): Promise<Map<string, fleet.PinnedStart[]>> {
  if (mappingIds.length === 0) return new Map();
  const rows = await sql<PinRow[]>`
    select mapping_id, topic_id, partition, start_offset from pinned_starts
     where mapping_id = any(${mappingIds}::uuid[])
     order by mapping_id, topic_id, partition`;
  const pins = new Map<string, fleet.PinnedStart[]>();
  for (const row of rows) {
    const pin = create(fleet.PinnedStartSchema, {
      topicId: row.topic_id,
      partition: row.partition,
      offset: row.start_offset,
    });
    const known = pins.get(row.mapping_id);
    if (known === undefined) pins.set(row.mapping_id, [pin]);
    else known.push(pin);
  }
  return pins;
}

/** Null when they are sealed and can't be read. */
function patternsOf(row: AssignmentRow, filters: Pick<FilterSeal, "open">): string[] | null {
  if (row.filter_sealed === null) return row.filter_patterns ?? [];
  const { patterns } = filters.open(row.mapping_id, row.kms_key_arn ?? "", row.filter_sealed);
  return patterns === null ? null : [...patterns];
}

function toAssignment(
  row: AssignmentRow,
  filterPatterns: string[],
  pinnedStarts: fleet.PinnedStart[],
): fleet.EventPollerAssignment {
  return create(fleet.EventPollerAssignmentSchema, {
    mappingId: row.mapping_id,
    index: row.poller_index,
    revision: row.revision,
    bootstrapServers: row.bootstrap_servers,
    topic: row.topic,
    consumerGroupId: row.consumer_group_id,
    batchSize: row.batch_size,
    maximumBatchingWindow: durationFromMs(row.batching_window_ms ?? BATCHING_WINDOW_DEFAULT_MS),
    filterPatterns,
    functionName: row.function_name,
    functionQualifier: row.function_qualifier,
    pinnedStarts,
    sourceAccessConfigurations: row.source_access.map(({ type, uri }) => ({
      type: mapping.SourceAccessType[type],
      uri,
    })),
  });
}
