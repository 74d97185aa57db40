/**
 * One attempt to become a member of the next generation: topic ─▶ JoinGroup ─▶ as the leader, the assignment of all ─▶ SyncGroup.
 *
 * A join may wait for minutes for members of others, but not for a coordinator that answers nothing at all: it is asked for a sign of life meanwhile, and when
 * there is none the connections are given up.
 */
import type { Clock, PenstockError } from "@penstock/core";
import { KAFKA, kafkaRefusal } from "../../cluster/kafka-error.ts";
import { decodeAssignment } from "../../group/classic/consumer-protocol.ts";
import { rebalanceTimeoutMs, SessionTimeouts } from "../../group/classic/session-timeouts.ts";
import type { KafkajsBrokers, TopicView } from "../client/kafkajs-client.ts";
import { Alarm } from "./alarm.ts";
import { assign, viewMembers } from "./assignors.ts";
import type { CoordinatorRequests, Enrolment, JoinAnswer } from "./group-requests.ts";

export interface JoinOptions {
  readonly client: KafkajsBrokers;
  readonly requests: CoordinatorRequests;
  readonly groupId: string;
  readonly drainLimitMs: number;
  readonly sessionTimeoutMs: number;
  readonly clock: Clock;
}

export interface Joined {
  readonly isLeader: boolean;
  readonly view: TopicView;
  readonly sessionMs: number;
  /** When the request was sent that proves the membership. */
  readonly sentAtMs: number;
  readonly partitions: readonly number[];
  /** Topics of other members that this one, as the leader, gave to nobody. */
  readonly topicsLeftOut: number;
}

/** Topics of other members that a leader assigns. */
export const FOREIGN_TOPICS_MAX = 10_000;

export const NOBODY: Enrolment = { memberId: "", generation: -1 };
const PING_INTERVAL_MS = 5_000;
const INVALID_SESSION_TIMEOUT = 26;
const MEMBER_ID_REQUIRED = 79;
const NOTHING_GIVEN = { assignments: [], topicsLeftOut: 0 };

export class Join {
  readonly #options: JoinOptions;
  readonly #sessions: SessionTimeouts;
  /** Known from the answer to the join on, and kept for the next one; `NOBODY` when Kafka doesn't know it. */
  enrolment: Enrolment = NOBODY;

  constructor(options: JoinOptions) {
    this.#options = options;
    this.#sessions = new SessionTimeouts(options.sessionTimeoutMs);
  }

  /** "again": at once. Never rejects. */
  async attempt(): Promise<Joined | PenstockError | "again"> {
    const { client, requests, groupId, drainLimitMs, clock } = this.#options;
    const subject = `consumer group "${groupId}"`;
    const sessionMs = this.#sessions.presentMs;
    try {
      const view = await client.view();
      const rebalanceMs = rebalanceTimeoutMs(drainLimitMs, sessionMs);
      const joining = requests.join(this.enrolment.memberId, sessionMs, rebalanceMs);
      const joined = await this.#watched(joining);
      if (joined.errorCode !== KAFKA.none)
        return this.#refused(joined.errorCode, joined.memberId, subject);
      const { memberId, generationId, leaderId } = joined;
      this.enrolment = { memberId, generation: generationId };
      const isLeader = leaderId === memberId;
      const given = isLeader ? await this.#assign(joined, view) : NOTHING_GIVEN;
      const sentAtMs = clock.nowMs();
      const synced = await requests.sync(this.enrolment, given.assignments);
      if (synced.errorCode !== KAFKA.none) return this.#refused(synced.errorCode, "", subject);
      const partitions = partitionsOf(synced.memberAssignment, client.topic);
      const { topicsLeftOut } = given;
      return { isLeader, view, sessionMs, sentAtMs, partitions, topicsLeftOut };
    } catch (error) {
      return client.problemOf(error, subject);
    }
  }

  #refused(code: number, memberId: string, subject: string): PenstockError | "again" {
    if (code === MEMBER_ID_REQUIRED) {
      this.enrolment = { ...NOBODY, memberId };
      return "again";
    }
    if (code === INVALID_SESSION_TIMEOUT && this.#sessions.tryNext()) return "again";
    if (code === KAFKA.unknownMemberId) this.enrolment = NOBODY;
    const isElsewhere = code === KAFKA.notCoordinator || code === KAFKA.coordinatorNotAvailable;
    if (isElsewhere) this.#options.requests.elsewhere();
    const isUnderWay = code === KAFKA.rebalanceInProgress || code === KAFKA.illegalGeneration;
    return isUnderWay ? "again" : kafkaRefusal(code, subject);
  }

  async #assign({ groupProtocol, members: joined }: JoinAnswer, { leaders }: TopicView) {
    const { client } = this.#options;
    const members = viewMembers(joined);
    const topics = new Set(members.flatMap((member) => member.topics));
    topics.delete(client.topic);
    const foreign = [...topics].slice(0, FOREIGN_TOPICS_MAX);
    const counts =
      foreign.length > 0 ? await client.partitionCounts(foreign) : new Map<string, number>();
    counts.set(client.topic, leaders.size);
    return {
      assignments: assign(groupProtocol, members, counts),
      topicsLeftOut: topics.size - foreign.length,
    };
  }

  async #watched<T>(joining: Promise<T>): Promise<T> {
    const { requests, clock } = this.#options;
    const over = new Alarm(() => clock.nowMs());
    let isPending = true;
    const watch = async () => {
      for (;;) {
        await over.until(clock.nowMs() + PING_INTERVAL_MS);
        if (!isPending) return;
        await requests.ping(this.enrolment).catch(() => {
          if (isPending) requests.hangUp();
        });
      }
    };
    void watch();
    try {
      return await joining;
    } finally {
      isPending = false;
      over.ring();
    }
  }
}

function partitionsOf(assigned: Buffer, topic: string): number[] {
  const rows = decodeAssignment(assigned)?.partitions ?? [];
  return [...new Set(rows.filter((row) => row.topic === topic).flatMap((row) => row.partitions))];
}
