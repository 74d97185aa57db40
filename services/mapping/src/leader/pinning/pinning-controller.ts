import { InvariantError, type MappingProblem, PenstockError } from "@penstock/core";
import type { Sql } from "@penstock/postgres";
import { noteMappingChange } from "../../store/history/note-mapping-change.ts";
import type { ClusterAdmin } from "../clusters/cluster-admin.ts";
import type { LeaderContext } from "../leader-context.ts";
import type { MappingFacts, MappingView } from "../mapping-view.ts";
import { planPins, timeToLookUp } from "./plan-pins.ts";

interface Attempt {
  /** Of the settings that it is made with. */
  readonly revision: bigint;
  problem: MappingProblem | null;
  isRunning: boolean;
  waitMs: number;
  againAtMs: number;
}

interface Start {
  readonly topicId: string;
  readonly pins: ReadonlyMap<number, bigint>;
}

const WAIT_MIN_MS = 250;
const WAIT_MAX_MS = 15_000;

/**
 * Turns the starting position of each mapping into stored numbers: once, before anything is assigned (I-8). While that can't be done the mapping
 * says why; it is tried again, less and less often, and at once with new settings, until it works: in every state but Deleting.
 */
export class PinningController {
  readonly #context: LeaderContext;
  readonly #mappings: MappingView;
  readonly #onPinned: () => void;
  readonly #attempts = new Map<string, Attempt>();

  constructor(context: LeaderContext, mappings: MappingView, onPinned: () => void) {
    this.#context = context;
    this.#mappings = mappings;
    this.#onPinned = onPinned;
  }

  /** Starts what is due. Returns at once. */
  run(): void {
    const { nowMs } = this.#context;
    for (const id of this.#attempts.keys()) {
      if (!needsPins(this.#mappings.get(id))) this.#attempts.delete(id);
    }
    for (const mapping of this.#mappings.all()) {
      if (!needsPins(mapping)) continue;
      const attempt = this.#attemptOf(mapping);
      if (attempt.isRunning || nowMs() < attempt.againAtMs) continue;
      attempt.isRunning = true;
      void this.#attempt(mapping, attempt);
    }
  }

  /** Why the last attempt with its present settings failed. */
  problemOf({ id, revision }: MappingFacts): MappingProblem | null {
    const attempt = this.#attempts.get(id);
    return attempt?.revision === revision ? attempt.problem : null;
  }

  async #attempt(mapping: MappingFacts, attempt: Attempt): Promise<void> {
    const { clusters, term, nowMs, log } = this.#context;
    try {
      const start = await clusters.ask(mapping, (admin) =>
        resolveStart(admin, mapping, () => this.#mappings.databaseNowMs()),
      );
      await term.write((sql) => writePins(sql, mapping, start));
      log.info("start position pinned", { mappingId: mapping.id });
      this.#mappings.announce(mapping.id);
    } catch (error) {
      if (error instanceof InvariantError) throw error;
      const before = attempt.problem?.code;
      this.#note(attempt, error);
      // Another problem than before: somebody is at work on it.
      if (attempt.problem?.code !== before) attempt.waitMs = WAIT_MIN_MS;
      attempt.againAtMs = nowMs() + attempt.waitMs;
      attempt.waitMs = Math.min(attempt.waitMs * 2, WAIT_MAX_MS);
    }
    attempt.isRunning = false;
    this.#onPinned();
  }

  /** What the database refused is no problem of the mapping. */
  #note(attempt: Attempt, error: unknown): void {
    if (error instanceof PenstockError) {
      const { code, message } = error;
      if (code !== "aborted" && code !== "unavailable") attempt.problem = { code, message };
      return;
    }
    this.#context.log.error("pinning failed", { error });
    attempt.problem = { code: "internal", message: "internal error: see the log of the leader" };
  }

  #attemptOf({ id, revision }: MappingFacts): Attempt {
    let attempt = this.#attempts.get(id);
    if (attempt === undefined || (attempt.revision !== revision && !attempt.isRunning)) {
      attempt = {
        revision,
        problem: null,
        isRunning: false,
        waitMs: WAIT_MIN_MS,
        againAtMs: Number.NEGATIVE_INFINITY,
      };
      this.#attempts.set(id, attempt);
    }
    return attempt;
  }
}

function needsPins(mapping: MappingFacts | undefined): boolean {
  return mapping !== undefined && mapping.state !== "Deleting" && !mapping.arePinned;
}

/** The end of the log is asked for first: what is asked for later can only be further on. */
async function resolveStart(
  admin: ClusterAdmin,
  mapping: MappingFacts,
  databaseNowMs: () => number,
): Promise<Start> {
  const { topic, startingPosition } = mapping;
  const { topicId, partitions } = await admin.describeTopic(topic);
  const isBeginning = startingPosition === "TRIM_HORIZON";
  const ends = await admin.listOffsets(topic, isBeginning ? "earliest" : "latest");
  const time = timeToLookUp(mapping, databaseNowMs());
  const atTime = time === null ? null : await offsetsAt(admin, mapping, time);
  const pins = planPins(partitions, mapping, {
    ...(isBeginning ? { earliest: ends } : { latest: ends }),
    ...(atTime !== null && { atTime }),
  });
  if (pins === null) {
    throw new PenstockError("kafkaUnavailable", `not all partitions of ${topic} have a leader now`);
  }
  return { topicId, pins };
}

/** The log start when the topic's timestamps are of no use and the wish was LATEST: rather too much than too little. */
async function offsetsAt(
  admin: ClusterAdmin,
  { topic, startingPosition }: MappingFacts,
  time: NonNullable<ReturnType<typeof timeToLookUp>>,
) {
  try {
    return await admin.listOffsets(topic, time);
  } catch (error) {
    const isUseless = error instanceof PenstockError && error.code === "kafkaUnsupported";
    if (!isUseless || startingPosition !== "LATEST") throw error;
    return admin.listOffsets(topic, "earliest");
  }
}

async function writePins(sql: Sql, mapping: MappingFacts, { topicId, pins }: Start): Promise<void> {
  const rows = await sql`
    update mappings
       set topic_id = ${topicId}, partition_count = ${pins.size}, are_starts_pinned = true
     where id = ${mapping.id} and state <> 'Deleting' and not are_starts_pinned`;
  if (rows.count === 0) return;
  await sql`
    insert into pinned_starts (mapping_id, topic_id, partition, start_offset)
    select ${mapping.id}, ${topicId}, r.partition, r.start_offset
      from unnest(${[...pins.keys()]}::int[], ${[...pins.values()]}::bigint[])
        as r (partition, start_offset)
    on conflict do nothing`;
  await noteMappingChange(sql, mapping.id, "pinned", "The start position is pinned.");
}
