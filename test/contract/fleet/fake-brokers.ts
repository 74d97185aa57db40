import { PenstockError } from "@penstock/core";
import type { ClusterAdmin } from "@penstock/mapping-service";

const TOPIC_ID = "0b1c2d3e-0000-4000-8000-000000000001";

/** A cluster as the leader sees it: one state for all admin clients. */
export class FakeBrokers {
  isAway = false;
  topicId = TOPIC_ID;
  partitions = 4;
  earliest = 5n;
  latest = 100n;
  /** Null: no record at or after the time. */
  atTime: bigint | null = 50n;
  timesAsked: number[] = [];
  readonly groups = new Map<string, { memberId: string; clientId: string }[]>();
  readonly removed: string[] = [];
  readonly deleted: string[] = [];
  /** Refused to whoever asks; null: none. */
  refusal: PenstockError | null = null;
  opened = 0;

  readonly open = (): ClusterAdmin => {
    this.opened++;
    const all = (offset: bigint) =>
      new Map(Array.from({ length: this.partitions }, (_, partition) => [partition, { offset }]));
    return {
      describeTopic: async () => {
        this.#answer();
        return {
          topicId: this.topicId,
          partitions: Array.from({ length: this.partitions }, (_, partition) => partition),
        };
      },
      listOffsets: async (_topic, query) => {
        this.#answer();
        if (query === "earliest") return all(this.earliest);
        if (query === "latest") return all(this.latest);
        this.timesAsked.push(query.timestampMs);
        return all(this.atTime ?? -1n);
      },
      describeGroup: async (group) => {
        this.#answer();
        const members = this.groups.get(group) ?? [];
        return { state: members.length === 0 ? "Empty" : "Stable", members };
      },
      removeMember: async (group, memberId) => {
        this.#answer();
        this.removed.push(memberId);
        const members = this.groups.get(group) ?? [];
        this.groups.set(
          group,
          members.filter((member) => member.memberId !== memberId),
        );
      },
      deleteGroup: async (group) => {
        this.#answer();
        if ((this.groups.get(group) ?? []).length > 0) {
          throw new PenstockError("inUse", "The consumer group has members.");
        }
        this.deleted.push(group);
        return this.groups.delete(group);
      },
      close: async () => {},
    };
  };

  #answer(): void {
    if (this.refusal !== null) throw this.refusal;
    if (this.isAway) throw new PenstockError("kafkaUnavailable", "No broker can be reached.");
  }
}
