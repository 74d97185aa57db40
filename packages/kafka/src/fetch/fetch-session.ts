/**
 * One incremental fetch session (KIP-227): the broker remembers partitions and positions, a request names only what changed.
 *
 *   closed ──full request (id 0, epoch 0)──▶ opening ──answer with an id──▶ open: epoch 1, 2, 3 … ──any failure──▶ closed
 *
 * A session redelivers from the position it was told last, hence every position that moved is named again. A broker that has no
 * room for a session answers with id 0: then each request is a full one.
 */

import type { PartitionFetch } from "./partition-fetch.ts";
import type { PartitionName, RequestedPartition } from "./wire/fetch-request.ts";

/** A partition as the broker was asked for it. */
export interface Asked {
  readonly state: PartitionFetch;
  readonly generation: number;
  readonly position: bigint;
  readonly leaderEpoch: number;
  /** End of its log as it was known then. */
  readonly logEnd: bigint;
}

export interface SessionRequest {
  readonly sessionId: number;
  readonly sessionEpoch: number;
  readonly partitions: readonly RequestedPartition[];
  readonly forgotten: readonly PartitionName[];
}

const EPOCH_MAX = 0x7fff_ffff;

export class FetchSession {
  #id = 0;
  #epoch = 0;
  /** What the broker holds, by partition. */
  #asked = new Map<string, Asked>();
  /** Where the next full request starts: the broker fills an answer in the order of the partitions. */
  #turn = 0;

  /** The broker holds a session for us. */
  get isOpen(): boolean {
    return this.#id !== 0;
  }

  /** All partitions that the request in flight, or the last one, is about. */
  get asked(): ReadonlyMap<string, Asked> {
    return this.#asked;
  }

  /** The next request, for exactly `wanted`. */
  next(wanted: readonly PartitionFetch[], partitionBytesMax: number): SessionRequest {
    if (this.#id === 0) return this.#full(wanted, partitionBytesMax);
    const partitions: RequestedPartition[] = [];
    const forgotten: PartitionName[] = [];
    const kept = new Set<string>();
    for (const state of wanted) {
      kept.add(state.id);
      const before = this.#asked.get(state.id);
      if (before?.position !== state.position || before.leaderEpoch !== state.leaderEpoch)
        partitions.push(requested(state, partitionBytesMax));
      this.#asked.set(state.id, asked(state));
    }
    for (const [id, { state }] of this.#asked)
      if (!kept.has(id)) {
        forgotten.push(state);
        this.#asked.delete(id);
      }
    return { sessionId: this.#id, sessionEpoch: this.#epoch, partitions, forgotten };
  }

  /** The broker answered the request without an error of the session. */
  accept(sessionId: number): void {
    this.#epoch = sessionId === this.#id && this.#epoch < EPOCH_MAX ? this.#epoch + 1 : 1;
    this.#id = sessionId;
  }

  /** Nothing is known of what the broker holds: the next request opens a new session. */
  reset(): void {
    this.#id = 0;
    this.#epoch = 0;
    this.#asked = new Map();
  }

  #full(wanted: readonly PartitionFetch[], partitionBytesMax: number): SessionRequest {
    this.#turn = wanted.length === 0 ? 0 : (this.#turn + 1) % wanted.length;
    const turned = [...wanted.slice(this.#turn), ...wanted.slice(0, this.#turn)];
    this.#asked = new Map(turned.map((state) => [state.id, asked(state)]));
    const partitions = turned.map((state) => requested(state, partitionBytesMax));
    return { sessionId: 0, sessionEpoch: 0, partitions, forgotten: [] };
  }
}

export function asked(state: PartitionFetch): Asked {
  const { generation, position, leaderEpoch, logEnd } = state;
  return { state, generation, position, leaderEpoch, logEnd };
}

export function requested(state: PartitionFetch, bytesMax: number): RequestedPartition {
  const { topicId, topicIdBytes, partition, leaderEpoch, position } = state;
  return { topicId, topicIdBytes, partition, leaderEpoch, position, bytesMax };
}
