import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  CARRIED_GAPS_MAX,
  type CarriedGap,
  formatCommitMetadata,
  gapsOfCommit,
  shorterCommitMetadata,
  topicIdOfCommit,
} from "./commit-metadata.ts";

const TOPIC = "0f3d2c1b-0000-4000-8000-00000000000a";
const END = 2n ** 63n - 1n;
const GAP: CarriedGap = {
  gapId: "7d9f7c3e-0000-4000-8000-000000000001",
  firstOffset: 5n,
  lastOffset: 9n,
  reason: "undecodable",
  wallMs: 1_790_000_000_000,
};

const anyGap = fc
  .record({
    gapId: fc.uuid(),
    range: fc.tuple(fc.bigInt(0n, END - 1n), fc.bigInt(0n, END - 1n)),
    reason: fc.constantFrom(
      "truncated" as const,
      "truncatedUnderRetry" as const,
      "recordTooLarge" as const,
      "undecodable" as const,
    ),
    wallMs: fc.integer({ min: 0, max: 99_999_999_999_999 }),
  })
  .map(({ range: [a, b], ...rest }) => ({
    ...rest,
    firstOffset: a < b ? a : b,
    lastOffset: a < b ? b : a,
  }));

describe("the metadata of a commit", () => {
  it("F14: gets shorter without losing the topic, and then without anything", () => {
    const short = shorterCommitMetadata(formatCommitMetadata(TOPIC, [GAP]));
    expect(short).toBe(formatCommitMetadata(TOPIC));
    expect(shorterCommitMetadata(short)).toBe("");
    expect(shorterCommitMetadata("of another client gaps=x")).toBe("");
    expect(shorterCommitMetadata("")).toBe("");
  });

  it("I-1: carries gaps, as many as a broker takes, and the topic", () => {
    fc.assert(
      fc.property(fc.array(anyGap, { maxLength: CARRIED_GAPS_MAX + 5 }), (gaps) => {
        const metadata = formatCommitMetadata(TOPIC, gaps);
        expect(Buffer.byteLength(metadata)).toBeLessThanOrEqual(4096);
        expect(topicIdOfCommit(metadata)).toBe(TOPIC);
        expect(gapsOfCommit({ offset: END, metadata })).toEqual(gaps.slice(0, CARRIED_GAPS_MAX));
      }),
    );
  });

  it("is read as far as it is known when a newer version wrote it", () => {
    const metadata = `${formatCommitMetadata(TOPIC, [GAP])} attempts=3`;
    expect(topicIdOfCommit(metadata)).toBe(TOPIC);
    expect(gapsOfCommit({ offset: 10n, metadata })).toEqual([GAP]);
    expect(gapsOfCommit({ offset: 10n, metadata: `penstock/1 topic=${TOPIC} attempts=3` })).toEqual(
      [],
    );
  });

  it.each([
    ["not passed by the commit", { lastOffset: 10n }],
    ["backwards", { firstOffset: 10n }],
    ["without an id", { gapId: "x" }],
    ["of no known reason", { reason: "other" as CarriedGap["reason"] }],
    ["at no time", { wallMs: 1e15 }],
  ])("S-16: a gap that is %s is none", (_what, wrong) => {
    const metadata = formatCommitMetadata(TOPIC, [{ ...GAP, ...wrong }, GAP]);
    expect(gapsOfCommit({ offset: 10n, metadata })).toEqual([GAP]);
  });

  it("S-16: any string is read without harm", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const metadata of [text, `${formatCommitMetadata(TOPIC)} gaps=${text}`]) {
          expect(gapsOfCommit({ offset: END, metadata })).toEqual([]);
        }
      }),
    );
  });
});
