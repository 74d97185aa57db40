import { create } from "@bufbuild/protobuf";
import { explainFilter } from "@penstock/core";
import { mapping } from "@penstock/proto";
import type { TriedRecord } from "./sample-records.ts";

/**
 * What the patterns say of each record. Without patterns every record matches.
 *
 * @throws PenstockError `invalidArgument` "Invalid filter pattern definition."
 */
export function judgeRecords(
  patterns: readonly string[],
  records: readonly TriedRecord[],
): mapping.FilterVerdict[] {
  const explainer = explainFilter(patterns);
  return records.map(({ topic, partition, offset, batch }) => {
    const explanations = explainer.explain(batch, 0, topic, partition);
    const first = explanations.findIndex(({ matches }) => matches);
    return create(mapping.FilterVerdictSchema, {
      matches: patterns.length === 0 || first >= 0,
      ...(first >= 0 && { matchingFilter: first }),
      reasons: explanations.map(({ reason }) => reason),
      topic,
      partition,
      offset,
    });
  });
}
