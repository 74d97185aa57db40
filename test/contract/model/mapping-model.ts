/**
 * What must be true of mappings, whatever is done to them in whatever order (I-17): the model beside which the real service runs.
 *
 * A slot is a function and a topic; at most one mapping may have it. What the model cannot know is when a transition ends, so between a change
 * and the next look at a steady state (`isSettled`) a refusal as "in use" is right, and outside of it never.
 */
export interface ModelMapping {
  readonly slot: number;
  readonly uuid: string;
  batchSize: number;
  isEnabled: boolean;
  /** A steady state was seen since the last change. */
  isSettled: boolean;
  isDeleting: boolean;
  /** The highest that was seen. */
  revision: bigint;
  /** Of a revision before the present one. */
  oldEtag: string | null;
  etag: string;
}

/** A time in which the function must not be called for a mapping: from when it was reported as stopped until it was asked to start. */
export interface QuietTime {
  readonly uuid: string;
  readonly fromMs: number;
  untilMs: number;
}

export class MappingModel {
  readonly mappings = new Map<number, ModelMapping>();
  /** Every mapping that ever was. */
  readonly uuids = new Set<string>();
  readonly quiet: QuietTime[] = [];
  readonly marks = { created: 0, refusedInUse: 0, duplicates: 0, crashes: 0, stopped: 0, gone: 0 };
  readonly #endsAt: number;

  constructor(endsAt: number) {
    this.#endsAt = endsAt;
  }

  /** Time is up: what is left of the commands is not run. */
  get isOver(): boolean {
    return performance.now() > this.#endsAt;
  }

  stopped(uuid: string): void {
    this.marks.stopped++;
    this.quiet.push({ uuid, fromMs: Date.now(), untilMs: Number.POSITIVE_INFINITY });
  }

  /** From now on it may be called: it was asked to start. */
  mayStart(uuid: string): void {
    for (const time of this.quiet) {
      if (time.uuid === uuid) time.untilMs = Math.min(time.untilMs, Date.now());
    }
  }

  /** It was not asked after all: it stays as it was. */
  didNotStart(mapping: ModelMapping): void {
    if (mapping.isEnabled || !mapping.isSettled) return;
    const last = this.quiet.findLast(({ uuid }) => uuid === mapping.uuid);
    if (last !== undefined) last.untilMs = Number.POSITIVE_INFINITY;
  }
}
