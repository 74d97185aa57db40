import { InvariantError, PenstockError } from "@penstock/core";
import type { Sql } from "@penstock/postgres";
import { MAPPINGS_CHANNEL } from "../../fleet/fleet-notice.ts";
import { noteMappingChange } from "../../store/note-mapping-change.ts";
import type { ClusterAdmin } from "../clusters/cluster-admin.ts";
import type { LeaderContext } from "../leader-context.ts";
import type { MappingFacts, MappingView } from "../mapping-view.ts";
import { planPins, timeToLookUp } from "./plan-pins.ts";

interface Attempt {
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
 * Turns the starting position of mappings that are being created into stored numbers: once, before anything is assigned. While that
 * can't be done the mapping stays Creating and says why; it is tried again, less and less often, until it works.
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
      const attempt = this.#attemptOf(mapping.id);
      if (attempt.isRunning || nowMs() < attempt.againAtMs) continue;
      attempt.isRunning = true;
      void this.#attempt(mapping, attempt);
    }
  }

  async #attempt(mapping: MappingFacts, attempt: Attempt): Promise<void> {
    const { clusters, term, nowMs, log } = this.#context;
    try {
      const start = await clusters.ask(mapping.bootstrapServers, (admin) =>
        resolveStart(admin, mapping, () => this.#mappings.databaseNowMs()),
      );
      await term.write((sql) => writePins(sql, mapping, start));
      log.info("start position pinned", { mappingId: mapping.id });
      this.#mappings.announce(mapping.id);
    } catch (error) {
      if (error instanceof InvariantError) throw error;
      await this.#report(mapping, error);
      attempt.againAtMs = nowMs() + attempt.waitMs;
      attempt.waitMs = Math.min(attempt.waitMs * 2, WAIT_MAX_MS);
    }
    attempt.isRunning = false;
    this.#onPinned();
  }

  /** Says why, once for each reason. */
  async #report(mapping: MappingFacts, error: unknown): Promise<void> {
    const { term, log } = this.#context;
    if (!(error instanceof PenstockError)) log.error("pinning failed", { error });
    if (
      error instanceof PenstockError &&
      (error.code === "aborted" || error.code === "unavailable")
    )
      return;
    const problem = error instanceof PenstockError ? error.message : "internal error";
    const reason = `PROBLEM: ${problem}`;
    if (this.#mappings.get(mapping.id)?.stateReason === reason) return;
    try {
      await term.write((sql) => writeProblem(sql, mapping.id, reason));
      this.#mappings.announce(mapping.id);
    } catch (failure) {
      if (failure instanceof InvariantError) throw failure;
      // Said with the next attempt.
    }
  }

  #attemptOf(id: string): Attempt {
    let attempt = this.#attempts.get(id);
    if (attempt === undefined) {
      attempt = { isRunning: false, waitMs: WAIT_MIN_MS, againAtMs: Number.NEGATIVE_INFINITY };
      this.#attempts.set(id, attempt);
    }
    return attempt;
  }
}

function needsPins(mapping: MappingFacts | undefined): boolean {
  return mapping?.state === "Creating" && !mapping.arePinned;
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
  const rows = await sql<{ state: string }[]>`
    update mappings
       set topic_id = ${topicId}, partition_count = ${pins.size}, are_starts_pinned = true,
           state = case when is_enabled then 'Enabled' else 'Disabled' end,
           state_reason = 'USER_INITIATED', state_since = now(),
           last_processing_result = case when last_processing_result like 'PROBLEM: %'
             then 'No records processed' else last_processing_result end
     where id = ${mapping.id} and state = 'Creating'
    returning state`;
  const state = rows[0]?.state;
  if (state === undefined) return;
  await sql`
    insert into pinned_starts (mapping_id, topic_id, partition, start_offset)
    select ${mapping.id}, ${topicId}, r.partition, r.start_offset
      from unnest(${[...pins.keys()]}::int[], ${[...pins.values()]}::bigint[])
        as r (partition, start_offset)
    on conflict do nothing`;
  await noteMappingChange(sql, mapping.id, state.toLowerCase(), "The start position is pinned.");
}

async function writeProblem(sql: Sql, mappingId: string, reason: string): Promise<void> {
  await sql`
    with stored as (
      update mappings set state_reason = ${reason}, last_processing_result = ${reason}
       where id = ${mappingId} and state = 'Creating' and state_reason <> ${reason}
      returning id)
    select pg_notify(${MAPPINGS_CHANNEL}, id::text) from stored`;
}
