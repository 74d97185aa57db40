import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type fleet, mapping } from "@penstock/proto";
import { cutMessage } from "./report-fields.ts";

/** A gap as it is stored. */
export interface GapRow {
  readonly gapId: string;
  readonly mappingId: string;
  readonly topicId: string;
  readonly topic: string;
  readonly partition: number;
  readonly firstOffset: bigint;
  readonly lastOffset: bigint;
  /** As the proto names it, without its prefix: TRUNCATED, UNDECODABLE, … */
  readonly reason: string;
  readonly message: string;
  readonly foundAt: Date;
}

/** Null for a report that names no gap. */
export function gapRowOf({ gapId, mappingId, topicId, gap }: fleet.ReportedGap): GapRow | null {
  if (gap === undefined) return null;
  const { topic, partition, firstOffset, lastOffset, time } = gap;
  const name = mapping.GapReasonSchema.value[gap.reason]?.name ?? "GAP_REASON_UNSPECIFIED";
  return {
    ...{ gapId, mappingId, topicId, topic, partition, firstOffset, lastOffset },
    reason: name.slice("GAP_REASON_".length),
    message: cutMessage(gap.message),
    foundAt: time === undefined ? new Date() : new Date(timestampMs(time)),
  };
}
