/**
 * Takes the heads out of an answer whose offsets nothing vouches for, so that they are read once more.
 *
 * The offset of a batch has no checksum (I-1, F10). Inside of an answer its neighbours show a wrong one (`readBatchHeads`); at the edges of an answer one
 * neighbour is missing, and a wrong offset looks like what compaction leaves: a hole. Believed, it would take the records in the hole with it, or the
 * position beyond the log (I-7). In doubt is a head that
 *
 * - ends above the high watermark. That is as old as the answer or a little older, since brokers note it before they read, so a sound batch may do this once
 *   and the next answer tells a later end: the second time it counts as damaged;
 * - comes last, behind a hole: nothing says that it doesn't belong into it;
 * - comes first and begins before the position, while what follows doesn't begin where it ends: its own rows may be those that the position passes over;
 * - lies before the position as a whole, which no broker sends, while others follow;
 * - is alone, or a wrapper (formats 0 and 1: it doesn't say where it begins), and neither the batch before it nor the end of the log is known.
 *
 * All but the first are believed when a second answer says the same: damage on the way doesn't come twice. In the usual case none applies and nothing is
 * read twice: answers end with a cut-off batch or at the end of the log, and positions are where a batch ended.
 *
 * Not found are a wrong offset that is the same in every answer, hence in the log itself, and lies inside of it; one that stays within the holes
 * around its batch, where nothing is lost, but the records get wrong offsets; a batch that is alone and by its wrong offset ends exactly at the end of
 * the log, if it is a wrapper or reading began within it; and a wrapper of format 1 that reaches into the one behind it, when that one comes in another answer.
 */
import { type BatchHead, type BatchHeads, codecOf, FORMAT_BATCHES } from "./batch-head.ts";
import { CODEC_NONE } from "./codecs/inflate.ts";

/** What is known around the records of an answer. */
export interface AnswerEdges {
  /** That it was fetched at. */
  readonly position: bigint;
  /** Last stable offset; -1 when unknown. */
  readonly logEnd: bigint;
  /** -1 when unknown. */
  readonly highWatermark: bigint;
}

/** For one partition. */
export class HeadDoubt {
  /** Where the head that is in doubt ends, as it says. */
  #doubted: bigint | null = null;
  /** Whether it was because it ends above the high watermark. */
  #wasBeyond = false;
  #inARow = 0;
  /** Where the last head ended that was given out. */
  #boundary: bigint | null = null;

  /** Answers in a row that ended in doubt. */
  get inARow(): number {
    return this.#inARow;
  }

  /** The heads to go on with: all, or those before one in doubt. No heads and nothing broken: read again. */
  judge(found: BatchHeads, edges: AnswerEdges): BatchHeads {
    const isBoundary = edges.position === this.#boundary;
    const judged = this.#judge(isBoundary ? begunAt(edges.position, found) : found, {
      ...edges,
      isBoundary,
    });
    this.#boundary = judged.heads.at(-1)?.nextOffset ?? this.#boundary;
    return judged;
  }

  #judge(found: BatchHeads, edges: Edges): BatchHeads {
    const { heads } = found;
    const beyond = beyondAt(heads, edges.highWatermark);
    const unvouched = unvouchedAt(found, edges, this.#doubted);
    const nearest = unvouched < 0 || (beyond >= 0 && beyond < unvouched) ? beyond : unvouched;
    const index = this.#withBefore(heads, nearest, edges.position);
    const isBeyond = index === beyond && index !== unvouched;
    const head = heads[index];
    if (head === undefined) {
      this.#doubted = null;
      this.#inARow = 0;
      return found;
    }
    const isAgain = isBeyond && this.#wasBeyond && head.nextOffset === this.#doubted;
    this.#doubted = head.nextOffset;
    this.#wasBeyond = isBeyond;
    this.#inARow++;
    const sound = heads.slice(0, index);
    if (!isAgain) return { heads: sound, broken: null, follower: null };
    const to = floorOf(heads, index, edges.position) + BigInt(head.lastOffsetDelta) + 1n;
    const reason = "batch reaches beyond the end of the log";
    const broken = { baseOffset: head.baseOffset, to, reason, isTransient: true };
    return { heads: sound, broken, follower: null };
  }

  /** Only decoding a wrapper would show that what is before it reaches into it: with the wrapper goes what lies behind a hole. */
  #withBefore(heads: readonly BatchHead[], index: number, position: bigint): number {
    const head = heads[index];
    const before = heads[index - 1];
    if (head === undefined || before === undefined || !isWrapper(head)) return index;
    const isLoose = isBehindHole(heads, index - 1, position);
    return isLoose && before.nextOffset !== this.#doubted ? index - 1 : index;
  }
}

interface Edges extends AnswerEdges {
  /** A batch ended at the position, so the first one here doesn't begin before. */
  readonly isBoundary: boolean;
}

/** A wrapper doesn't say where it begins: decoding compares this with what is in it. */
function begunAt(position: bigint, found: BatchHeads): BatchHeads {
  const [first, ...others] = found.heads;
  if (first === undefined || !isWrapper(first) || first.nextOffset <= position) return found;
  return { ...found, heads: [{ ...first, baseOffset: position }, ...others] };
}

/** First head that ends above the high watermark; -1: none. */
function beyondAt(heads: readonly BatchHead[], highWatermark: bigint): number {
  const last = heads.at(-1);
  if (highWatermark < 0n || last === undefined || last.nextOffset <= highWatermark) return -1;
  return heads.findIndex(({ nextOffset }) => nextOffset > highWatermark);
}

/** A head at an edge that has no neighbour to vouch for it, unless it ends at `confirmed`; -1: none. */
function unvouchedAt(found: BatchHeads, edges: Edges, confirmed: bigint | null): number {
  const { heads } = found;
  const first = heads[0];
  const last = heads.at(-1);
  if (first === undefined || last === undefined) return -1;
  if (first.nextOffset !== confirmed && isFirstLoose(found, first, last, edges)) return 0;
  if (last.nextOffset !== confirmed && isLastLoose(found, last, edges)) return heads.length - 1;
  return -1;
}

function isFirstLoose(found: BatchHeads, first: BatchHead, last: BatchHead, edges: Edges): boolean {
  const { position, logEnd, isBoundary } = edges;
  if (first.nextOffset <= position && last.nextOffset > position) return true;
  if (isWrapper(first)) return !isBoundary;
  const second = found.heads[1]?.baseOffset ?? behind(found) ?? logEnd;
  return first.baseOffset < position && first.nextOffset !== second;
}

function isLastLoose(found: BatchHeads, last: BatchHead, edges: Edges): boolean {
  const { heads } = found;
  const { position, logEnd, isBoundary } = edges;
  if (behind(found) !== null) return false;
  if (isWrapper(last)) return last.nextOffset !== logEnd;
  if (isBehindHole(heads, heads.length - 1, position)) return true;
  return heads.length === 1 && !isBoundary && last.nextOffset !== logEnd;
}

/** Where that begins which follows the last head. */
function behind({ broken, follower }: BatchHeads): bigint | null {
  return broken?.baseOffset ?? follower;
}

/** Of a wrapper it isn't known. */
function isBehindHole(heads: readonly BatchHead[], index: number, position: bigint): boolean {
  const head = heads[index];
  if (head === undefined || isWrapper(head)) return false;
  return head.baseOffset > floorOf(heads, index, position);
}

/** Where a head would begin without a hole before it. */
function floorOf(heads: readonly BatchHead[], index: number, position: bigint): bigint {
  const before = heads[index - 1]?.nextOffset ?? position;
  return before > position ? before : position;
}

function isWrapper(head: BatchHead): boolean {
  return head.format !== FORMAT_BATCHES && codecOf(head) !== CODEC_NONE;
}
