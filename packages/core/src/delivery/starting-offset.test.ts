import { describe, expect, it } from "vitest";
import { formatCommitMetadata, NO_TOPIC_ID, topicIdOfCommit } from "./commit-metadata.ts";
import { movedOffset, startingOffset } from "./starting-offset.ts";

const TOPIC = "0f3d2c1b-0000-4000-8000-00000000000a";
const OTHER = "0f3d2c1b-0000-4000-8000-00000000000b";
const LOG = { committed: null, logStart: 10n, logEnd: 90n, highWatermark: 100n };
const at = { topicId: TOPIC };
const committed = (offset: bigint, metadata = "") => ({ ...LOG, committed: { offset, metadata } });

describe("startingOffset", () => {
  it("prefers the commit, then the archive, then the pin, then the beginning", () => {
    expect(startingOffset(at, committed(50n), 60n, 70n)).toMatchObject({ offset: 50n });
    expect(startingOffset(at, LOG, 60n, 70n)).toMatchObject({ offset: 60n, source: "archived" });
    expect(startingOffset(at, LOG, null, 70n)).toMatchObject({ offset: 70n, source: "pinned" });
    expect(startingOffset(at, LOG, null, null)).toMatchObject({ offset: 10n, source: "beginning" });
  });

  it("F14: ignores a commit that was made for a topic that is gone", () => {
    const start = committed(50n, formatCommitMetadata(OTHER));
    expect(startingOffset(at, start, null, null)).toMatchObject({ offset: 10n });
    const own = committed(50n, formatCommitMetadata(TOPIC));
    expect(startingOffset(at, own, null, null)).toMatchObject({ offset: 50n });
  });

  it("F14: a commit from before the brokers had ids for topics counts after the upgrade", () => {
    const before = committed(50n, formatCommitMetadata(NO_TOPIC_ID));
    expect(startingOffset(at, before, null, null)).toMatchObject({ offset: 50n });
    const after = committed(50n, formatCommitMetadata(TOPIC));
    expect(startingOffset({ topicId: NO_TOPIC_ID }, after, null, null)).toMatchObject({
      offset: 50n,
    });
    expect(movedOffset(at, before, 60n)).toBeNull();
  });

  it("F12: skips what retention removed, from the exact offset on", () => {
    expect(startingOffset(at, committed(3n), null, null)).toMatchObject({
      do: "skip",
      from: 3n,
      to: 10n,
    });
  });

  it("F13: stops above the end of the log, and not between the stable end and the high watermark", () => {
    expect(startingOffset(at, committed(101n), null, null)).toMatchObject({ do: "stop" });
    expect(startingOffset(at, committed(95n), null, null)).toMatchObject({ do: "start" });
  });
});

describe("movedOffset", () => {
  it("F36: knows an offset that somebody else set up, down or removed, and no other", () => {
    expect(movedOffset(at, committed(50n), 60n)).toEqual({ last: 60n, now: 50n });
    expect(movedOffset(at, committed(70n, "console"), 60n)).toEqual({ last: 60n, now: 70n });
    expect(movedOffset(at, LOG, 60n)).toEqual({ last: 60n, now: null });
    expect(movedOffset(at, committed(60n), 60n)).toBeNull();
    expect(movedOffset(at, committed(70n, formatCommitMetadata(TOPIC)), 60n)).toBeNull();
    expect(movedOffset(at, committed(70n), null)).toBeNull();
    expect(movedOffset(at, LOG, null)).toBeNull();
  });
});

describe("commit metadata", () => {
  it("names the topic by id, and says nothing in any other form", () => {
    expect(topicIdOfCommit(formatCommitMetadata(TOPIC))).toBe(TOPIC);
    for (const foreign of [
      "",
      "x",
      "penstock/2 topic=1",
      "penstock/1 topic=",
      `${formatCommitMetadata(TOPIC)}x`,
    ]) {
      expect(topicIdOfCommit(foreign)).toBeNull();
    }
  });
});
