/** What an event poller is to do: one mapping's settings, as assigned. */
export interface EventPollerSettings {
  readonly mappingId: string;
  /** Number in the mapping, from 0. */
  readonly index: number;
  readonly revision: bigint;
  readonly bootstrapServers: readonly string[];
  readonly topic: string;
  readonly consumerGroupId: string;
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

/** Whether a change of settings needs another membership: it reads something else. */
export function needsNewMember(before: EventPollerSettings, after: EventPollerSettings): boolean {
  return (
    before.topic !== after.topic ||
    before.consumerGroupId !== after.consumerGroupId ||
    before.bootstrapServers.join() !== after.bootstrapServers.join()
  );
}
