import { type GroupVerdict, InvariantError } from "@penstock/core";
import type { ClusterAdmins } from "../clusters/cluster-admins.ts";
import type { MappingFacts } from "../mapping-view.ts";

/** Whom the group's description is compared with. */
export interface GroupQuestion {
  readonly mapping: MappingFacts;
  /** Members of nodes that are gone: their leave is sent for them. */
  readonly goneMemberIds: ReadonlySet<string>;
  /** These nodes: their members are named so in the group, also those that they had no time to tell of (classic groups choose the ids, anew with each join). */
  readonly goneNodeIds: readonly string[];
  /** Members and nodes that are up, which the description may show. */
  readonly knownMemberIds: ReadonlySet<string>;
  readonly presentNodeIds: readonly string[];
}

interface Watch {
  isAsking: boolean;
  askAgainAtMs: number;
  clearSinceMs: number | null;
  lastAnswerAtMs: number;
  unreachableSinceMs: number | null;
  /** Rounds of leaves that were sent. */
  removals: number;
  removeAgainAtMs: number;
}

/**
 * A node that lost the mapping service and not Kafka comes back each time that its leave is sent, and each time the group is divided anew. So
 * the pause between two leaves doubles, up to this.
 */
const REMOVAL_PAUSE_MS_MAX = 300_000;

/** Client ids of event pollers begin so; other members of the group are not ours. */
const CLIENT_ID_PREFIX = "penstock";

/**
 * Asks Kafka about groups whose members can't be asked themselves, because their node is gone: sends their leave, and measures for how long the group has shown
 * none of them. Runs beside the leader's loop, which reads the verdicts. A term starts from nothing.
 */
export class GroupWatch {
  readonly #clusters: ClusterAdmins;
  readonly #intervalMs: number;
  readonly #nowMs: () => number;
  readonly #onAnswer: () => void;
  readonly #watches = new Map<string, Watch>();

  constructor(options: {
    clusters: ClusterAdmins;
    intervalMs: number;
    nowMs: () => number;
    onAnswer: () => void;
  }) {
    this.#clusters = options.clusters;
    this.#intervalMs = options.intervalMs;
    this.#nowMs = options.nowMs;
    this.#onAnswer = options.onAnswer;
  }

  verdict(mappingId: string): GroupVerdict {
    const watch = this.#watches.get(mappingId);
    if (watch === undefined) return { clearForMs: null, unreachableForMs: null };
    const { clearSinceMs, lastAnswerAtMs, unreachableSinceMs } = watch;
    return {
      clearForMs: clearSinceMs === null ? null : lastAnswerAtMs - clearSinceMs,
      unreachableForMs: unreachableSinceMs === null ? null : this.#nowMs() - unreachableSinceMs,
    };
  }

  /** Asks about these when it is time, and forgets the others. Returns at once. */
  watch(questions: readonly GroupQuestion[]): void {
    const wanted = new Set(questions.map((question) => question.mapping.id));
    for (const id of this.#watches.keys()) if (!wanted.has(id)) this.#watches.delete(id);
    for (const question of questions) {
      const watch = this.#watchOf(question.mapping.id);
      if (watch.isAsking || this.#nowMs() < watch.askAgainAtMs) continue;
      watch.isAsking = true;
      void this.#ask(question, watch).then(this.#onAnswer);
    }
  }

  async #ask(question: GroupQuestion, watch: Watch): Promise<void> {
    const { consumerGroupId } = question.mapping;
    try {
      const isClear = await this.#clusters.ask(question.mapping, async (admin) => {
        const { members } = await admin.describeGroup(consumerGroupId);
        const ours = members.filter((member) => isUnexplained(member, question));
        const gone = ours.filter((member) => isGone(member, question));
        if (gone.length > 0 && this.#mayRemove(watch))
          for (const { memberId } of gone) await admin.removeMember(consumerGroupId, memberId);
        return ours.length === 0;
      });
      const nowMs = this.#nowMs();
      watch.lastAnswerAtMs = nowMs;
      watch.unreachableSinceMs = null;
      watch.clearSinceMs = isClear ? (watch.clearSinceMs ?? nowMs) : null;
    } catch (error) {
      if (error instanceof InvariantError) throw error;
      // Why doesn't matter to who waits: nothing can be learned from the brokers now, and who comes and goes meanwhile is not seen.
      watch.unreachableSinceMs ??= this.#nowMs();
      watch.clearSinceMs = null;
    }
    watch.isAsking = false;
    watch.askAgainAtMs = this.#nowMs() + this.#intervalMs;
  }

  #mayRemove(watch: Watch): boolean {
    const nowMs = this.#nowMs();
    if (nowMs < watch.removeAgainAtMs) return false;
    const pauseMs = Math.min(this.#intervalMs * 2 ** watch.removals, REMOVAL_PAUSE_MS_MAX);
    watch.removals++;
    watch.removeAgainAtMs = nowMs + pauseMs;
    return true;
  }

  #watchOf(mappingId: string): Watch {
    let watch = this.#watches.get(mappingId);
    if (watch === undefined) {
      watch = {
        isAsking: false,
        askAgainAtMs: Number.NEGATIVE_INFINITY,
        clearSinceMs: null,
        lastAnswerAtMs: 0,
        unreachableSinceMs: null,
        removals: 0,
        removeAgainAtMs: Number.NEGATIVE_INFINITY,
      };
      this.#watches.set(mappingId, watch);
    }
    return watch;
  }
}

interface Member {
  readonly memberId: string;
  readonly clientId: string;
}

function isGone({ memberId, clientId }: Member, question: GroupQuestion): boolean {
  const { goneMemberIds, goneNodeIds, knownMemberIds } = question;
  if (goneMemberIds.has(memberId)) return true;
  if (!clientId.startsWith(CLIENT_ID_PREFIX) || knownMemberIds.has(memberId)) return false;
  return goneNodeIds.some((nodeId) => clientId.includes(nodeId));
}

function isUnexplained(member: Member, question: GroupQuestion): boolean {
  const { memberId, clientId } = member;
  const { knownMemberIds, presentNodeIds } = question;
  if (isGone(member, question)) return true;
  if (!clientId.startsWith(CLIENT_ID_PREFIX) || knownMemberIds.has(memberId)) return false;
  return !presentNodeIds.some((nodeId) => clientId.includes(nodeId));
}
