import type { ArnScope } from "@penstock/core";
import { PenstockError } from "@penstock/core";
import type { Database } from "@penstock/postgres";
import type { mapping } from "@penstock/proto";
import { mappingMessage } from "../../api/mapping-messages.ts";
import { MAPPING_MISSING } from "../../store/find-mapping.ts";
import type { MappingView } from "../../store/mapping-views.ts";
import type { BoundedLooks } from "../bounded-looks.ts";
import type { OpenSource } from "../source-admin.ts";
import { askNodes, type DialNode, type NodeAnswers } from "./ask-nodes.ts";
import { explainMapping } from "./explain-mapping.ts";
import { foreignOwners } from "./foreign-owners.ts";
import { readRun } from "./read-run.ts";

export interface ExplainParts {
  readonly db: Database;
  readonly scope: ArnScope;
  readonly dial: DialNode;
  readonly looks: BoundedLooks;
  readonly openSource: OpenSource;
  /** @throws PenstockError `notFound`. */
  readonly viewOf: (uuid: string) => Promise<MappingView>;
}

const LOOK_MS_MAX = 2_000;

/** Reads what is stored, asks the nodes, and the brokers about partitions that no node claims. */
export async function explain(
  uuid: string,
  parts: ExplainParts,
): Promise<mapping.ExplainEventSourceMappingResponse> {
  const view = await parts.viewOf(uuid);
  const run = await readRun(parts.db, view.mapping.id);
  if (run === null) throw new PenstockError("notFound", MAPPING_MISSING);
  const addresses = new Map(run.pollers.map(({ nodeId, address }) => [nodeId, address]));
  const answers = await askNodes(parts.dial, view.mapping.id, addresses);
  const owned = countOwned(answers);
  const isWhole = run.partitionCount !== null && owned >= run.partitionCount;
  const ours = new Set(run.pollers.flatMap(({ memberId }) => memberId ?? []));
  for (const answer of answers.values())
    for (const { memberId } of answer ?? []) ours.add(memberId);
  return explainMapping({
    view,
    shown: mappingMessage(view, parts.scope),
    run,
    answers,
    foreignOwners: isWhole || !view.mapping.isEnabled ? null : await askGroup(view, ours, parts),
  });
}

function countOwned(answers: NodeAnswers): number {
  const partitions = new Set<number>();
  for (const answer of answers.values())
    for (const { lanes } of answer ?? [])
      for (const { partition } of lanes) partitions.add(partition);
  return partitions.size;
}

async function askGroup(
  { mapping: stored }: MappingView,
  ours: ReadonlySet<string>,
  parts: ExplainParts,
) {
  try {
    const { members } = await parts.looks.run(
      () => parts.openSource(stored),
      LOOK_MS_MAX,
      (source) => source.describeGroup(stored.consumerGroupId),
    );
    return foreignOwners(members, stored.topic, ours);
  } catch (error) {
    if (!(error instanceof PenstockError)) throw error;
    // The mapping's own problem says why the brokers do not answer.
    return null;
  }
}
