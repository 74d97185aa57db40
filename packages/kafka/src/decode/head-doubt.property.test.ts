/** Reading a log to its end from answers of which some were damaged on the way: what the fetchers do, without sockets. */
import { recordValue } from "@penstock/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readBatchHeads } from "./batch-head.ts";
import { CountedMemory } from "./counted-memory.ts";
import { decodeRecordSet, flatRowCount, nextOffsetOf } from "./decode-record-set.ts";
import { HeadDoubt } from "./head-doubt.ts";
import { encodeMessage, encodeWrapper } from "./testing/encode-message-set.ts";
import { encodeRecordBatch, record } from "./testing/encode-record-batch.ts";

interface Stored {
  readonly format: Format;
  readonly baseOffset: bigint;
  readonly nextOffset: bigint;
  readonly bytes: Buffer;
}

type Format = "v2" | "v2 lz4" | "message 0" | "message 1" | "wrapper 0" | "wrapper 1";

interface Answer {
  readonly bytes: Buffer;
  readonly batches: readonly Stored[];
  readonly highWatermark: bigint;
}

/** As a broker answers: from the batch with the position on, up to so many bytes, but at least one batch. */
function answerAt(log: readonly Stored[], position: bigint, bytesMax: number, cuts: boolean) {
  const batches: Stored[] = [];
  let size = 0;
  for (const batch of log) {
    if (batch.nextOffset <= position) continue;
    const fits = size + batch.bytes.length <= bytesMax;
    if (!fits && size > 0 && !cuts) break;
    batches.push(batch);
    size += batch.bytes.length;
    if (!fits) break;
  }
  const first = batches[0]?.bytes.length ?? 0;
  const all = Buffer.concat(batches.map(({ bytes }) => bytes));
  return { batches, bytes: Buffer.from(all.subarray(0, Math.max(first, bytesMax))) };
}

interface Outcome {
  readonly values: string[];
  readonly position: bigint;
  readonly reads: number;
  readonly undecodable: readonly string[];
}

const READS_MAX = 400;

function readAll(
  log: readonly Stored[],
  from: bigint,
  ask: (position: bigint, read: number) => Answer,
): Outcome {
  const end = log.at(-1)?.nextOffset ?? 0n;
  const doubt = new HeadDoubt();
  const values: string[] = [];
  const undecodable: string[] = [];
  let position = from;
  let reads = 0;
  for (; position < end && reads < READS_MAX; reads++) {
    const { bytes, highWatermark } = ask(position, reads);
    const edges = { position, logEnd: highWatermark, highWatermark };
    const heads = doubt.judge(readBatchHeads(bytes, 0, bytes.length, position), edges);
    const next = nextOffsetOf(heads, position);
    const memory = new CountedMemory(bytes.length, flatRowCount(heads), () => {});
    const set = { buffer: bytes, heads, position, aborted: [], highWatermark, memory };
    const decoded = decodeRecordSet(set, { inflatedBytesMax: 1 << 20, countMemory: () => {} });
    for (const batch of decoded.batches) {
      expect(batch.baseOffset).toBe(position);
      position = batch.nextOffset;
      for (let row = 0; row < batch.count; row++) values.push(String(recordValue(batch, row)));
    }
    if (decoded.undecodable === null) expect(position).toBe(next);
    else {
      expect(decoded.undecodable.from).toBe(position);
      expect(decoded.undecodable.isTransient).toBe(true);
      undecodable.push(decoded.undecodable.reason);
    }
  }
  return { values, position, reads, undecodable };
}

function store(format: Format, baseOffset: bigint, count: number): Stored {
  const offsets = Array.from({ length: count }, (_, i) => baseOffset + BigInt(i));
  const messages = offsets.map((offset) => ({ offset, value: Buffer.from(`v${offset}`) }));
  const records = offsets.map((offset, i) => record(i, `v${offset}`));
  const bytes = {
    v2: () => encodeRecordBatch({ baseOffset, records }),
    "v2 lz4": () => encodeRecordBatch({ baseOffset, records, codec: "lz4" }),
    "message 0": () => Buffer.concat(messages.map((message) => encodeMessage(0, message))),
    "message 1": () => Buffer.concat(messages.map((message) => encodeMessage(1, message))),
    "wrapper 0": () => encodeWrapper(0, { codec: "gzip", messages }),
    "wrapper 1": () => encodeWrapper(1, { codec: "lz4", messages }),
  }[format]();
  return { format, baseOffset, nextOffset: baseOffset + BigInt(count), bytes };
}

/** Batches that follow each other, most without holes; all old formats come first. */
const anyShape = <F extends Format>(...formats: F[]) =>
  fc.record({
    format: fc.constantFrom(...formats),
    count: fc.integer({ min: 1, max: 12 }),
    hole: fc.oneof(fc.constant(0), fc.constant(0), fc.nat(20)),
  });

type Shape = ReturnType<typeof anyShape> extends fc.Arbitrary<infer T> ? T : never;

function logOf(shapes: readonly Shape[], start: bigint): Stored[] {
  let next = start;
  return shapes.map(({ format, count, hole }, index) => {
    if (index > 0) next += BigInt(hole);
    const stored = store(format, next, format.startsWith("message") ? 1 : count);
    next = stored.nextOffset;
    return stored;
  });
}

const anyLog = fc
  .tuple(
    fc.array(anyShape("message 0", "wrapper 0", "message 1", "wrapper 1"), { maxLength: 3 }),
    fc.array(anyShape("v2", "v2 lz4"), { minLength: 1, maxLength: 4 }),
    fc.bigInt(0n, 300n),
  )
  .map(([old, later, start]) => logOf([...old, ...later], start));

const anyServing = fc.record({
  from: fc.nat(),
  bytesMax: fc.integer({ min: 60, max: 900 }),
  cuts: fc.boolean(),
  /** Answers that tell an end of the log from before they were read. */
  lagging: fc.array(fc.boolean(), { maxLength: 12 }),
});
type Serving = typeof anyServing extends fc.Arbitrary<infer T> ? T : never;

function world(log: readonly Stored[], { from, bytesMax, cuts, lagging }: Serving) {
  const start = log[0]?.baseOffset ?? 0n;
  const end = log.at(-1)?.nextOffset ?? 0n;
  const position = start + (BigInt(from) % (end - start));
  const wanted = log.flatMap(({ baseOffset, nextOffset }) =>
    Array.from({ length: Number(nextOffset - baseOffset) }, (_, i) => baseOffset + BigInt(i)),
  );
  const serve = (at: bigint, read: number): Answer => {
    const found = answerAt(log, at, bytesMax, cuts);
    // The end of the log has passed the answer's position while the one before was read; an older one is never told again.
    const isLagging = lagging[read] === true && lagging[read - 1] !== true;
    return { ...found, highWatermark: isLagging ? at : end };
  };
  const values = wanted.filter((offset) => offset >= position).map((offset) => `v${offset}`);
  return { position, end, values, serve };
}

describe("HeadDoubt, by property", () => {
  it("I-1, I-3: sound answers give every record once", () => {
    fc.assert(
      fc.property(anyLog, anyServing, (log, serving) => {
        const { position, end, values, serve } = world(log, serving);
        const outcome = readAll(log, position, serve);
        expect(outcome.undecodable).toEqual([]);
        expect(outcome.values).toEqual(values);
        expect(outcome.position).toBe(end);
      }),
      { numRuns: 1000 },
    );
  });

  it("batches that follow each other are read once, but for the first answer", () => {
    const anyShapes = fc.array(anyShape("v2", "v2 lz4"), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(anyShapes, anyServing, (shapes, serving) => {
        const whole = shapes.map((shape) => ({ ...shape, hole: 0 }));
        const { position, end, serve } = world(logOf(whole, 7n), { ...serving, lagging: [] });
        let answers = 0;
        for (let at = position; at < end; answers++) {
          const { batches, bytes } = serve(at, answers);
          let size = 0;
          for (const batch of batches) {
            size += batch.bytes.length;
            if (size <= bytes.length) at = batch.nextOffset;
          }
        }
        expect(readAll(logOf(whole, 7n), position, serve).reads).toBeLessThanOrEqual(answers + 1);
      }),
    );
  });

  it("I-1, I-7, F10: an answer with a batch that is damaged anywhere loses nothing, and doesn't lead above the end", () => {
    const anyLowBit = fc.integer({ min: 57, max: 63 });
    const anyDamage = fc.record({
      read: fc.nat(3),
      batch: fc.nat(),
      /** Bits of the offset alone, or of everything. */
      inOffset: fc.array(fc.oneof(fc.nat(63), anyLowBit, anyLowBit), { maxLength: 2 }),
      anywhere: fc.oneof(fc.constant([]), fc.array(fc.nat(), { maxLength: 1 })),
    });
    fc.assert(
      fc.property(anyLog, anyServing, anyDamage, (log, serving, damage) => {
        const { position, end, values, serve } = world(log, serving);
        const outcome = readAll(log, position, (at, read) => {
          const answer = serve(at, read);
          if (read !== damage.read) return answer;
          const index = damage.batch % answer.batches.length;
          const { bytes } = answer.batches[index] as Stored;
          const before = answer.batches.slice(0, index);
          const start = before.reduce((sum, batch) => sum + batch.bytes.length, 0);
          for (const bit of damage.inOffset) flip(answer.bytes, start, bit);
          for (const bit of damage.anywhere) flip(answer.bytes, start, bit % (8 * bytes.length));
          return isHidden(answer, index, log, at) ? serve(at, read) : answer;
        });
        expect(outcome.position).toBe(end);
        expect(values.filter((value) => !outcome.values.includes(value))).toEqual([]);
      }),
      { numRuns: 5000 },
    );
  });
});

/** What HeadDoubt doesn't find. */
function isHidden(answer: Answer, index: number, log: readonly Stored[], at: bigint): boolean {
  const damaged = answer.batches[index];
  if (damaged === undefined) return false;
  const behind = log[log.indexOf(damaged) + 1];
  if (damaged.format === "wrapper 1" && behind?.format.startsWith("wrapper")) return true;
  if (answer.batches.length > 1) return false;
  const end = log.at(-1)?.nextOffset;
  const offset = answer.bytes.readBigInt64BE(0);
  if (damaged.format.startsWith("wrapper")) return offset + 1n === end;
  return offset <= at && offset + damaged.nextOffset - damaged.baseOffset === end;
}

/** Bit 0 is the highest of the first byte. Bits that were cut off stay so. */
function flip(bytes: Buffer, start: number, bit: number): void {
  const at = start + (bit >> 3);
  if (at < bytes.length) bytes[at] = (bytes[at] as number) ^ (128 >> (bit & 7));
}
