import { formatCommitMetadata, type OffsetCommit, type RecordSource } from "@penstock/core";
import type { Lane } from "../lane/lane.ts";
import type { EventPollerContext } from "./context.ts";

/** A commit in a row is started this long after the one before, ms: what settles meanwhile goes with it. The first is not delayed. */
const COMMIT_SPACING_MS = 50;
/** After an answer that decides nothing, ms. */
const COMMIT_RETRY_MS = 200;

/**
 * Commits the frontiers of one event poller: continuously, one request in flight, coalescing what settled meanwhile.
 *
 * Always true: a commit carries the frontier of a live lane at the moment of sending and the lane's assignment epoch; a refused one is never
 * repeated; one without a decisive answer is sent again with the frontier of then.
 */
export class Committer {
  readonly #context: EventPollerContext;
  readonly #source: () => RecordSource;
  readonly #committed: (lane: Lane) => void;
  readonly #dirty = new Set<Lane>();
  #isBusy = false;
  #isStopped = false;
  #lastStartMs = Number.NEGATIVE_INFINITY;
  #cancelTimer: (() => void) | null = null;

  /** `committed` is called after each acknowledged commit of a lane. */
  constructor(
    context: EventPollerContext,
    source: () => RecordSource,
    committed: (lane: Lane) => void,
  ) {
    this.#context = context;
    this.#source = source;
    this.#committed = committed;
  }

  /** The lane's frontier may have moved. A lane that is being given up does not wait for the spacing. */
  mark(lane: Lane): void {
    if (lane.frontier.next === lane.committed) return;
    this.#dirty.add(lane);
    this.#pump(lane.drainUntilMs === null ? COMMIT_SPACING_MS : 0);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelTimer?.();
    this.#dirty.clear();
  }

  #pump(spacingMs: number): void {
    if (this.#isBusy || this.#isStopped || this.#dirty.size === 0) return;
    const waitMs = this.#lastStartMs + spacingMs - this.#context.clock.nowMs();
    if (waitMs <= 0) {
      this.#cancelTimer?.();
      this.#cancelTimer = null;
      this.#send();
      return;
    }
    this.#cancelTimer ??= this.#context.timers.after(waitMs, () => {
      this.#cancelTimer = null;
      this.#pump(0);
    });
  }

  #send(): void {
    const lanes: Lane[] = [];
    const commits: OffsetCommit[] = [];
    const { history } = this.#context;
    const source = this.#source();
    for (const lane of this.#dirty) {
      const offset = lane.frontier.next;
      if (lane.isDead || offset === lane.committed) continue;
      const { assignment } = lane;
      lanes.push(lane);
      const metadata = formatCommitMetadata(assignment.topicId, lane.unstoredGapsBelow(offset));
      commits.push({ assignment, offset, metadata });
      history.committing(source.memberId, assignment, offset);
    }
    this.#dirty.clear();
    if (commits.length === 0) return;
    this.#isBusy = true;
    const startedMs = this.#context.clock.nowMs();
    this.#lastStartMs = startedMs;
    void source.commit(commits).then((results) => {
      this.#isBusy = false;
      const durationMs = this.#context.clock.nowMs() - startedMs;
      let isUndecided = false;
      for (let i = 0; i < commits.length; i++) {
        const { assignment, offset } = commits[i] as OffsetCommit;
        const lane = lanes[i] as Lane;
        const result = results[i] ?? "unknown";
        history.committed(source.memberId, assignment, offset, result);
        if (lane.isDead) continue;
        if (result === "unknown") {
          isUndecided = true;
          this.#dirty.add(lane);
        } else if (result === "committed") this.#acknowledged(lane, offset);
      }
      this.#context.observe.commit(isUndecided ? "unknown" : "answered", durationMs);
      this.#pump(isUndecided ? COMMIT_RETRY_MS : this.#isHurried() ? 0 : COMMIT_SPACING_MS);
    });
  }

  #acknowledged(lane: Lane, offset: bigint): void {
    if (lane.committed >= 0n) lane.counters.committed += Number(offset - lane.committed);
    lane.committed = offset;
    lane.hasChanged = true;
    this.#committed(lane);
    if (!lane.isDead && lane.frontier.next !== offset) this.#dirty.add(lane);
  }

  #isHurried(): boolean {
    for (const lane of this.#dirty) if (lane.drainUntilMs !== null) return true;
    return false;
  }
}
