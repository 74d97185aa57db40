import { describe, expect, it } from "vitest";
import { encodeFetchAnswer } from "../testing/encode-fetch-answer.ts";
import { readFetchAnswer } from "./fetch-answer.ts";

const ROWS = [
  {
    partition: 3,
    highWatermark: 90n,
    lastStableOffset: 80n,
    logStart: 7n,
    aborted: [{ producerId: 5n, firstOffset: 70n }],
    records: Buffer.from("records"),
  },
  { partition: 4, errorCode: 6 },
];

describe("readFetchAnswer", () => {
  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])("reads version %i", (version) => {
    const answer = readFetchAnswer(encodeFetchAnswer(version, ROWS, 40), version);
    const [first, second] = answer.partitions;
    expect(answer).toMatchObject({
      errorCode: 0,
      mayCutOff: version < 3,
      throttleMs: version >= 1 ? 40 : 0,
      clientSideThrottleTime: version >= 8 ? 40 : 0,
    });
    expect(first).toMatchObject({
      partition: 3,
      errorCode: 0,
      highWatermark: 90n,
      lastStableOffset: version >= 4 ? 80n : 90n,
      logStart: version >= 5 ? 7n : -1n,
      aborted: version >= 4 ? [{ producerId: 5n, firstOffset: 70n }] : [],
    });
    expect(answer.payload.toString("utf8", first?.start, first?.end)).toBe("records");
    expect(second).toMatchObject({ partition: 4, errorCode: 6 });
    expect(second?.start).toBe(second?.end);
  });

  it("F11: what ends early or counts more than there are bytes is refused", () => {
    const sound = encodeFetchAnswer(11, ROWS);
    for (let bytes = 0; bytes < sound.length; bytes++)
      expect(() => readFetchAnswer(sound.subarray(0, bytes), 11)).toThrow("break the protocol");
    const many = Buffer.from(sound);
    many.writeInt32BE(0x7fff_ffff, 10);
    expect(() => readFetchAnswer(many, 11)).toThrow("break the protocol");
  });
});
