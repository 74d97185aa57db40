/**
 * The metadata string of our commits: short, versioned, fenced by Kafka together with the offset.
 *
 *     penstock/1 topic=<topic id> gaps=<id>/<first offset>/<last offset>/<reason>/<ms since 1970>,…
 *
 * It names the topic by id, so that offsets of a deleted topic are never applied to a new one of the same name (F14). And it carries the gaps
 * that the commit passed and that are not known to be stored: who adopts the partition reports them again, so that a gap report survives its reporter. They
 * come off with the next commit after they are stored. A foreign or empty string says nothing and is ignored, and so is what a newer version adds behind.
 */

/** The id of a topic whose brokers have no ids for topics (before Kafka 2.8, or with an older inter.broker.protocol.version). */
export const NO_TOPIC_ID = "00000000-0000-0000-0000-000000000000";

/** Whether two ids of topics with the same name can be of the same topic: an id that isn't known says nothing. */
export function mayBeSameTopic(a: string, b: string): boolean {
  return a === b || a === NO_TOPIC_ID || b === NO_TOPIC_ID;
}

/** Why records are settled without the function; the letter stands for it in a commit. */
const REASONS = {
  truncated: "t",
  truncatedUnderRetry: "r",
  recordTooLarge: "l",
  undecodable: "u",
} as const;
export type GapReason = keyof typeof REASONS;

/** A gap in a commit. */
export interface CarriedGap {
  /** UUID, lower case: reported again it is the same gap. */
  readonly gapId: string;
  readonly firstOffset: bigint;
  readonly lastOffset: bigint;
  readonly reason: GapReason;
  /** When it was found. */
  readonly wallMs: number;
}

/** The longest gap has 93 characters, and brokers take 4096 bytes (`offset.metadata.max.bytes`). */
export const CARRIED_GAPS_MAX = 40;
const OFFSET_MAX = 2n ** 63n - 1n;

const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const FORM = new RegExp(`^penstock/1 topic=(${UUID})(?: gaps=([^ ]*))?(?: |$)`);
const GAP = new RegExp(`^(${UUID})/(\\d{1,19})/(\\d{1,19})/([a-z])/(\\d{1,14})$`);

/** `topicId` in lower-case hex with dashes; of the gaps the first {@link CARRIED_GAPS_MAX} are carried. */
export function formatCommitMetadata(topicId: string, gaps: readonly CarriedGap[] = []): string {
  const head = `penstock/1 topic=${topicId}`;
  if (gaps.length === 0) return head;
  const carried = gaps
    .slice(0, CARRIED_GAPS_MAX)
    .map(({ gapId, firstOffset, lastOffset, reason, wallMs }) =>
      [gapId, firstOffset, lastOffset, REASONS[reason], Math.floor(wallMs)].join("/"),
    );
  return `${head} gaps=${carried.join(",")}`;
}

/** For a broker that takes less: the same without gaps, and without anything when there are none. */
export function shorterCommitMetadata(metadata: string): string {
  const [, topicId, gaps] = FORM.exec(metadata) ?? [];
  return topicId === undefined || gaps === undefined ? "" : formatCommitMetadata(topicId);
}

/** The topic id that a commit was made for, null when the string is not ours. */
export function topicIdOfCommit(metadata: string): string | null {
  return FORM.exec(metadata)?.[1] ?? null;
}

/** Gaps that the commit carries. Everybody who may commit in the group can write them: what can't be is left out. */
export function gapsOfCommit({
  offset,
  metadata,
}: {
  readonly offset: bigint;
  readonly metadata: string;
}): CarriedGap[] {
  const text = FORM.exec(metadata)?.[2] ?? "";
  const gaps = text.split(",").slice(0, CARRIED_GAPS_MAX).map(readGap);
  return gaps.filter((gap) => gap !== null).filter(({ lastOffset }) => lastOffset < offset);
}

function readGap(text: string): CarriedGap | null {
  const [, gapId, first, last, letter, ms] = GAP.exec(text) ?? [];
  if (gapId === undefined || first === undefined || last === undefined) return null;
  const reason = reasonOf(letter);
  const [firstOffset, lastOffset] = [BigInt(first), BigInt(last)];
  if (reason === null || firstOffset > lastOffset || lastOffset > OFFSET_MAX) return null;
  return { gapId, firstOffset, lastOffset, reason, wallMs: Number(ms) };
}

function reasonOf(letter: string | undefined): GapReason | null {
  for (const [reason, one] of Object.entries(REASONS)) {
    if (one === letter) return reason as GapReason;
  }
  return null;
}
