/**
 * Commits offsets under the epoch at which each partition was adopted.
 *
 * Always true:
 * - Nothing is sent for an assignment that is not alive, and for one assignment the offsets that are sent never go down (I-7).
 * - The epoch of a commit is what the membership says (`commitEpoch`): its assignment's (KIP-848), or in a classic group, whose coordinator knows
 *   only the present generation, that one, once we know that it left the partition with us. A commit that crossed a change of generation is sent again.
 * - Only a broker that has no assignment epochs (before KIP-1251) may make the epoch of a KIP-848 member newer: it
 *   refuses every old epoch, so the commit is repeated once under the present one, if a heartbeat that began after the refusal proved
 *   the member, the partition was ours all the time and nobody asks it back. Kafka gives nothing away without our word, so it is ours then.
 * - No answer is "unknown", never success and never a loss.
 */
import { setTimeout as delay } from "node:timers/promises";
import {
  type Assignment,
  type CommitResult,
  invariant,
  type OffsetCommit,
  PenstockError,
  shorterCommitMetadata,
} from "@penstock/core";
import { KAFKA, kafkaRefusal } from "../cluster/kafka-error.ts";
import { backoffMs } from "../connection/backoff.ts";
import type { Membership } from "./membership.ts";
import type { CommitRow, GroupTopic } from "./offset-wire.ts";

const ELSEWHERE_TRIES_MAX = 5;
const ELSEWHERE_BASE_MS = 100;
const ELSEWHERE_LIMIT_MS = 1_000;
const MOVED_TRIES_MAX = 5;
const MOVED_BASE_MS = 50;
const MOVED_LIMIT_MS = 500;

interface Entry {
  readonly assignment: Assignment;
  readonly offset: bigint;
  readonly metadata: string;
  readonly settle: (result: CommitResult) => void;
}

export interface OffsetCommitterOptions {
  readonly groupId: string;
  readonly membership: Membership;
  /** One request to the coordinator; resolves with an error code for each partition. */
  readonly send: (to: GroupTopic, rows: readonly CommitRow[]) => Promise<Map<number, number>>;
  /** The coordinator that was asked isn't it, or didn't answer: the next `send` looks for it anew. */
  readonly elsewhere: () => void;
  /** The present problem of committing, null when a commit went well. */
  readonly problem: (problem: PenstockError | null) => void;
}

export class OffsetCommitter {
  readonly #options: OffsetCommitterOptions;
  readonly #sentOffsets = new WeakMap<Assignment, bigint>();
  /** Newer epochs that a broker without assignment epochs has accepted. */
  readonly #newerEpochs = new WeakMap<Assignment, number>();
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: OffsetCommitterOptions) {
    this.#options = options;
  }

  async commit(commits: readonly OffsetCommit[]): Promise<readonly CommitResult[]> {
    const results: CommitResult[] = commits.map(() => "unknown");
    const entries = commits.map(({ assignment, offset, metadata }, index) => {
      const settle = (result: CommitResult) => {
        results[index] = result;
      };
      return { assignment, offset, metadata, settle };
    });
    const running = this.#sendAll(entries);
    const settled = running.catch(() => {});
    this.#running.add(settled);
    try {
      await running;
    } finally {
      this.#running.delete(settled);
    }
    return results;
  }

  /** Resolves when no commit that was begun before is on its way. */
  async idle(): Promise<void> {
    await Promise.all(this.#running);
  }

  #epochOf(assignment: Assignment): number | null {
    return this.#newerEpochs.get(assignment) ?? this.#options.membership.commitEpoch(assignment);
  }

  /** Those that met a change of generation are sent again, under what comes after it. */
  async #sendAll(entries: readonly Entry[]): Promise<void> {
    let pending = entries;
    for (let tries = 1; pending.length > 0; tries++) {
      const moved: Entry[] = [];
      const groups = Map.groupBy(this.#onlyAlive(pending), ({ assignment }) => {
        const epoch = this.#epochOf(assignment);
        return epoch === null ? null : `${assignment.topicId}/${epoch}`;
      });
      await Promise.all(
        [...groups].map(async ([key, together]) => {
          const epoch = together[0] ? this.#epochOf(together[0].assignment) : null;
          if (key === null || epoch === null) moved.push(...together);
          else moved.push(...(await this.#send(together, epoch, false)));
        }),
      );
      if (tries === MOVED_TRIES_MAX) return;
      if (moved.length > 0) await delay(backoffMs(tries, MOVED_BASE_MS, MOVED_LIMIT_MS));
      pending = moved;
    }
  }

  /** Returns what met a change of generation. */
  async #send(
    entries: readonly Entry[],
    epoch: number,
    isRepeat: boolean,
  ): Promise<readonly Entry[]> {
    const moved: Entry[] = [];
    let pending = entries;
    for (let tries = 1; ; tries++) {
      pending = this.#onlyAlive(pending);
      const codes = pending.length > 0 ? await this.#request(pending, epoch) : null;
      if (!codes) return moved;
      const { elsewhere, rebalancing, stale, tooLarge } = this.#sort(pending, codes);
      moved.push(...rebalancing);
      if (stale.length > 0) moved.push(...(await this.#refused(stale, epoch, isRepeat)));
      if (tooLarge.length > 0) {
        const shorter = tooLarge.map((entry) => ({
          ...entry,
          metadata: shorterCommitMetadata(entry.metadata),
        }));
        moved.push(...(await this.#send(shorter, epoch, isRepeat)));
      }
      if (elsewhere.length === 0 || tries === ELSEWHERE_TRIES_MAX) return moved;
      this.#options.elsewhere();
      await delay(backoffMs(tries, ELSEWHERE_BASE_MS, ELSEWHERE_LIMIT_MS));
      pending = elsewhere;
    }
  }

  #onlyAlive(entries: readonly Entry[]): readonly Entry[] {
    return entries.filter(({ assignment, offset, settle }) => {
      if (!this.#options.membership.isAlive(assignment)) {
        settle("fenced");
        return false;
      }
      const sent = this.#sentOffsets.get(assignment);
      invariant(
        sent === undefined || offset >= sent,
        `commit of ${assignment.topic}/${assignment.partition} goes back from ${sent} to ${offset}`,
      );
      this.#sentOffsets.set(assignment, offset);
      return true;
    });
  }

  /** Error code for each partition; null when there is no answer (the results stay unknown). */
  async #request(entries: readonly Entry[], epoch: number): Promise<Map<number, number> | null> {
    const { groupId, membership, problem, send, elsewhere } = this.#options;
    const first = entries[0];
    invariant(first, "a commit without entries");
    const { topic, topicId } = first.assignment;
    const { incarnation, memberId, groupInstanceId } = membership;
    const rows = entries.map(({ assignment: { partition }, offset, metadata }) => ({
      partition,
      offset,
      metadata,
    }));
    try {
      const codes = await send({ groupId, memberId, groupInstanceId, epoch, topic, topicId }, rows);
      for (const code of codes.values())
        if (isMemberGone(code)) {
          membership.memberUnknown(incarnation);
          break;
        }
      return codes;
    } catch (error) {
      if (!(error instanceof PenstockError)) throw error;
      elsewhere();
      problem(error);
      return null;
    }
  }

  #sort(entries: readonly Entry[], codes: ReadonlyMap<number, number>) {
    const elsewhere: Entry[] = [];
    const stale: Entry[] = [];
    const tooLarge: Entry[] = [];
    const rebalancing: Entry[] = [];
    let problem: PenstockError | null = null;
    for (const entry of entries) {
      const { assignment, settle } = entry;
      const code = codes.get(assignment.partition) ?? KAFKA.unknownServerError;
      if (code === KAFKA.none) settle("committed");
      else if (isMemberGone(code)) settle("fenced");
      else if (isElsewhere(code)) elsewhere.push(entry);
      else if (isStale(code)) stale.push(entry);
      else if (code === KAFKA.rebalanceInProgress) rebalancing.push(entry);
      else if (isTooLarge(code) && entry.metadata !== "") tooLarge.push(entry);
      else if (this.#options.membership.isAlive(assignment))
        problem ??= kafkaRefusal(
          code,
          `commit of consumer group "${this.#options.groupId}" for topic "${assignment.topic}"`,
        );
    }
    this.#options.problem(problem);
    return { elsewhere, rebalancing, stale, tooLarge };
  }

  /** Returns what met a change of generation. The rest: the rule for brokers before KIP-1251; on later ones a refused assignment is not ours. */
  async #refused(
    entries: readonly Entry[],
    epoch: number,
    isRepeat: boolean,
  ): Promise<readonly Entry[]> {
    const { membership } = this.#options;
    const hasMoved = ({ assignment }: Entry) =>
      !isRepeat && membership.isAlive(assignment) && this.#epochOf(assignment) !== epoch;
    const isProved = !isRepeat && !entries.every(hasMoved) && (await membership.confirm());
    const presentEpoch = membership.memberEpoch;
    const moved: Entry[] = [];
    const repeated: Entry[] = [];
    for (const entry of entries) {
      const { assignment, settle } = entry;
      const mayBeOurs = membership.isAlive(assignment) && !membership.isRevoking(assignment);
      if (hasMoved(entry)) moved.push(entry);
      else if (!isRepeat && mayBeOurs && !isProved) continue;
      else if (isProved && mayBeOurs && presentEpoch !== epoch)
        repeated.push({
          ...entry,
          settle: (result) => {
            if (result === "committed") this.#newerEpochs.set(assignment, presentEpoch);
            settle(result);
          },
        });
      else {
        settle("fenced");
        membership.fenced(assignment);
      }
    }
    if (repeated.length > 0) moved.push(...(await this.#send(repeated, presentEpoch, true)));
    return moved;
  }
}

function isMemberGone(code: number): boolean {
  return (
    code === KAFKA.unknownMemberId ||
    code === KAFKA.fencedMemberEpoch ||
    code === KAFKA.fencedInstanceId ||
    code === KAFKA.groupIdNotFound
  );
}

function isElsewhere(code: number): boolean {
  return (
    code === KAFKA.notCoordinator ||
    code === KAFKA.coordinatorNotAvailable ||
    code === KAFKA.coordinatorLoadInProgress
  );
}

function isStale(code: number): boolean {
  return code === KAFKA.staleMemberEpoch || code === KAFKA.illegalGeneration;
}

function isTooLarge(code: number): boolean {
  return code === KAFKA.offsetMetadataTooLarge || code === KAFKA.invalidCommitOffsetSize;
}
