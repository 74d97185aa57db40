import { PenstockError, SOURCE_ACCESS_TYPES, type SourceAccess } from "@penstock/core";

/** What an event poller is to do: one mapping's settings, as assigned. */
export interface EventPollerSettings {
  readonly mappingId: string;
  /** Number in the mapping, from 0. */
  readonly index: number;
  readonly revision: bigint;
  readonly bootstrapServers: readonly string[];
  readonly topic: string;
  readonly consumerGroupId: string;
  /** How to authenticate to the brokers: references. */
  readonly sourceAccess: readonly SourceAccess[];
  readonly batchSize: number;
  readonly batchingWindowMs: number;
  readonly filterPatterns: readonly string[];
  readonly functionName: string;
  readonly functionQualifier: string;
  /** Start of a partition without a committed offset, by `<topic id>/<partition>`. */
  readonly pinnedStarts: ReadonlyMap<string, bigint>;
}

/** Key of `pinnedStarts`. */
export function pinKey(topicId: string, partition: number): string {
  return `${topicId}/${partition}`;
}

/** @throws PenstockError `unimplemented` for a way to authenticate that this version does not know: without it the connection would be weaker. */
export function assertKnownAccess({ sourceAccess }: EventPollerSettings): void {
  for (const { type } of sourceAccess) {
    if (!SOURCE_ACCESS_TYPES.includes(type)) {
      throw new PenstockError("unimplemented", `Source access of type ${type} is not known here.`);
    }
  }
}

/** Whether a change of settings needs another membership: it reads something else, or connects in another way. */
export function needsNewMember(before: EventPollerSettings, after: EventPollerSettings): boolean {
  return (
    before.topic !== after.topic ||
    before.consumerGroupId !== after.consumerGroupId ||
    before.bootstrapServers.join() !== after.bootstrapServers.join() ||
    JSON.stringify(before.sourceAccess) !== JSON.stringify(after.sourceAccess)
  );
}
