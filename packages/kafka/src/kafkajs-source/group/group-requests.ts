/**
 * The requests of one member of a classic group, over kafkajs: JoinGroup, SyncGroup, Heartbeat, LeaveGroup, with error codes as values and what Kafka wants
 * carried along (member id, generation).
 */

import type { KafkajsBrokers, SendOptions } from "../client/kafkajs-client.ts";
import type { KafkajsBroker } from "../client/kafkajs-internals.ts";
import { type JoinedMember, offers } from "./assignors.ts";

/** One member in one generation. */
export interface Enrolment {
  readonly memberId: string;
  readonly generation: number;
}

export interface JoinAnswer {
  readonly errorCode: number;
  readonly generationId: number;
  readonly groupProtocol: string;
  readonly leaderId: string;
  readonly memberId: string;
  readonly members: readonly JoinedMember[];
}

/** The coordinator answers a join when the slowest member has joined, which may be another client's that processes for minutes. */
const JOIN_ANSWER_LIMIT_MS = 600_000;
const SYNC_ANSWER_LIMIT_MS = 30_000;

export class GroupRequests {
  readonly #client: KafkajsBrokers;
  readonly #groupId: string;
  #coordinator: Promise<KafkajsBroker> | null = null;

  constructor(client: KafkajsBrokers, groupId: string) {
    this.#client = client;
    this.#groupId = groupId;
  }

  /** Connected; kept until `elsewhere`. */
  async coordinator(): Promise<KafkajsBroker> {
    this.#coordinator ??= this.#client.coordinator(this.#groupId);
    try {
      const broker = await this.#coordinator;
      if (broker.isConnected()) return broker;
    } catch (error) {
      this.#coordinator = null;
      throw error;
    }
    this.#coordinator = this.#client.coordinator(this.#groupId);
    return this.#coordinator;
  }

  /** The coordinator that is known isn't it, or doesn't answer. */
  elsewhere(): void {
    this.#coordinator = null;
  }

  join(memberId: string, sessionMs: number, rebalanceMs: number): Promise<JoinAnswer> {
    return this.#ask(
      "JoinGroup",
      {
        sessionTimeout: sessionMs,
        rebalanceTimeout: rebalanceMs,
        memberId,
        protocolType: "consumer",
        groupProtocols: offers(this.#client.topic),
      },
      { answerLimitMs: JOIN_ANSWER_LIMIT_MS },
    );
  }

  sync(
    { memberId, generation }: Enrolment,
    groupAssignment: readonly { memberId: string; memberAssignment: Buffer }[],
  ): Promise<{ readonly errorCode: number; readonly memberAssignment: Buffer }> {
    const args = { memberId, generationId: generation, groupAssignment };
    return this.#ask("SyncGroup", args, { answerLimitMs: SYNC_ANSWER_LIMIT_MS });
  }

  async heartbeat({ memberId, generation }: Enrolment): Promise<number> {
    const args = { memberId, groupGenerationId: generation };
    const { errorCode } = await this.#ask<{ readonly errorCode: number }>("Heartbeat", args);
    return errorCode;
  }

  /** Whether the coordinator answers at all, while a join waits for others: on that connection everything else would wait with it. */
  async ping({ memberId, generation }: Enrolment): Promise<void> {
    await this.#ask("Heartbeat", { memberId, groupGenerationId: generation }, { isAside: true });
  }

  /** `isAside`: while a join waits. */
  async leave(memberId: string, isAside: boolean): Promise<void> {
    await this.#ask("LeaveGroup", { memberId }, { isAside });
  }

  /** Ends the connections: what is waited for fails, and is tried again. */
  hangUp(): void {
    this.#client.hangUp();
  }

  async #ask<T>(name: string, args: object, options: SendOptions<T> = {}): Promise<T> {
    try {
      const broker = await this.coordinator();
      const all = { ...args, groupId: this.#groupId };
      return await this.#client.send<T>(broker, name, all, options);
    } catch (error) {
      this.elsewhere();
      throw error;
    }
  }
}

/** The same as an interface, for who uses it. */
export type CoordinatorRequests = Pick<GroupRequests, keyof GroupRequests>;
