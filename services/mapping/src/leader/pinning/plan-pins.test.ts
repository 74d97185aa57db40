import { describe, expect, it } from "vitest";
import { planPins, type StartWish, timeToLookUp } from "./plan-pins.ts";

const CREATED_MS = 1_000_000;

const wish = (startingPosition: StartWish["startingPosition"]): StartWish => ({
  startingPosition,
  startingPositionTimestampMs: startingPosition === "AT_TIMESTAMP" ? 7 : null,
  createdAtMs: CREATED_MS,
});

const answer = (...offsets: bigint[]) =>
  new Map(offsets.map((offset, partition) => [partition, { offset }]));

describe("timeToLookUp", () => {
  it("I-8: is the wished time, or the creation when LATEST is late, else none", () => {
    const late = CREATED_MS + 2_001;
    expect(timeToLookUp(wish("AT_TIMESTAMP"), CREATED_MS)).toEqual({ timestampMs: 7 });
    expect(timeToLookUp(wish("LATEST"), CREATED_MS + 2_000)).toBeNull();
    expect(timeToLookUp(wish("LATEST"), late)).toEqual({ timestampMs: CREATED_MS });
    expect(timeToLookUp(wish("TRIM_HORIZON"), late)).toBeNull();
  });
});

describe("planPins", () => {
  const pins = (...[partitions, of, answers]: Parameters<typeof planPins>) => {
    const planned = planPins(partitions, of, answers);
    return planned === null ? null : [...planned];
  };

  it("I-8: takes the log start, the log end, or the first offset at or after the time", () => {
    expect(pins([0, 1], wish("TRIM_HORIZON"), { earliest: answer(3n, 0n) })).toEqual([
      [0, 3n],
      [1, 0n],
    ]);
    expect(pins([0], wish("LATEST"), { latest: answer(9n) })).toEqual([[0, 9n]]);
    const late = { latest: answer(9n, 9n), atTime: answer(4n, -1n) };
    expect(pins([0, 1], wish("LATEST"), late)).toEqual([
      [0, 4n],
      [1, 9n],
    ]);
  });

  it("F24: a time beyond the end starts at the end, also when the offset that was found is above it", () => {
    const answers = { latest: answer(9n, 9n), atTime: answer(-1n, 12n) };
    expect(pins([0, 1], wish("AT_TIMESTAMP"), answers)).toEqual([
      [0, 9n],
      [1, 9n],
    ]);
  });

  it("pins nothing when the brokers left out a partition", () => {
    expect(pins([0, 1], wish("TRIM_HORIZON"), { earliest: answer(3n) })).toBeNull();
    expect(pins([0, 1], wish("LATEST"), { latest: answer(3n, 3n), atTime: answer(1n) })).toBeNull();
  });
});
