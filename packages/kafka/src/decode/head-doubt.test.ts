import { describe, expect, it } from "vitest";
import { readBatchHeads } from "./batch-head.ts";
import { HeadDoubt } from "./head-doubt.ts";
import { encodeWrapper } from "./testing/encode-message-set.ts";
import { encodeRecordBatch, record } from "./testing/encode-record-batch.ts";

/** Of ten records. */
function batch(baseOffset: bigint): Buffer {
  const records = Array.from({ length: 10 }, (_, i) => record(i));
  return encodeRecordBatch({ baseOffset, records });
}

function wrapper(first: bigint): Buffer {
  const messages = [first, first + 1n].map((offset) => ({ offset }));
  return encodeWrapper(1, { codec: "gzip", messages });
}

/** Ends of the heads that are given out, and what is broken. */
function judge(doubt: HeadDoubt, position: bigint, end: bigint, ...parts: Buffer[]) {
  const bytes = Buffer.concat(parts);
  const found = readBatchHeads(bytes, 0, bytes.length, position);
  const { heads, broken } = doubt.judge(found, { position, logEnd: end, highWatermark: end });
  return { ends: heads.map(({ nextOffset }) => Number(nextOffset)), broken };
}

const NOTHING = { ends: [], broken: null };

describe("HeadDoubt", () => {
  it.each([
    ["lies before the position as a whole", [batch(36n), batch(110n)], [46, 120]],
    [
      "comes first, begins before the position and doesn't join what follows",
      [batch(96n), batch(110n)],
      [106, 120],
    ],
    ["is alone, and nobody knows where it should begin", [batch(100n)], [110]],
    ["comes last, behind a hole", [batch(104n)], [114]],
    [
      "is a wrapper, and nobody knows where it should begin",
      [wrapper(100n), wrapper(102n)],
      [102, 104],
    ],
  ])("I-1, F10: is read again, and believed the second time: what %s", (_, parts, ends) => {
    const doubt = new HeadDoubt();
    // Behind the answer comes a batch that was cut off.
    const all = parts.length > 1 ? [...parts, batch(120n).subarray(0, 30)] : parts;
    expect(judge(doubt, 100n, 200n, ...all)).toEqual(NOTHING);
    expect(doubt.inARow).toBe(1);
    expect(judge(doubt, 100n, 200n, ...all)).toEqual({ ends, broken: null });
    expect(doubt.inARow).toBe(0);
  });

  it("is not believed when the second answer says something else", () => {
    const doubt = new HeadDoubt();
    expect(judge(doubt, 100n, 200n, batch(104n))).toEqual(NOTHING);
    expect(judge(doubt, 100n, 200n, batch(108n))).toEqual(NOTHING);
    expect(doubt.inARow).toBe(2);
  });

  it("believes at once what begins where the batch before ended, or ends with the log", () => {
    const doubt = new HeadDoubt();
    expect(judge(doubt, 105n, 110n, batch(100n)).ends).toEqual([110]);
    expect(judge(doubt, 110n, 200n, batch(110n)).ends).toEqual([120]);
  });

  it("I-7, F10: what ends above the high watermark is damaged when it still does in the next answer", () => {
    const doubt = new HeadDoubt();
    expect(judge(doubt, 100n, 110n, batch(100n), batch(110n)).ends).toEqual([110]);
    expect(judge(doubt, 110n, 110n, batch(110n))).toEqual({
      ends: [],
      broken: {
        baseOffset: 110n,
        to: 120n,
        reason: "batch reaches beyond the end of the log",
        isTransient: true,
      },
    });
    expect(judge(doubt, 110n, 120n, batch(110n)).ends).toEqual([120]);
  });
});
