import {
  type Connection,
  offsetCommitV2,
  offsetCommitV3,
  offsetCommitV4,
} from "@platformatic/kafka";
import { describe, expect, it } from "vitest";
import { OFFSET_COMMIT, OFFSET_RETENTION_MS } from "./offset-apis.ts";

type Commit = (typeof OFFSET_COMMIT)["versions"][number];

/** The body of a commit, as it would be sent. */
function bodyOf(api: Commit): Buffer {
  let body: Buffer = Buffer.alloc(0);
  const send = (_key: number, _version: number, create: () => { readonly buffer: Buffer }) => {
    body = create().buffer;
  };
  const rows = [
    { partitionIndex: 3, committedOffset: 7n, committedLeaderEpoch: -1, committedMetadata: "m" },
  ];
  const topics = [{ name: "orders", partitions: rows }];
  void api.async({ send } as unknown as Connection, "group", 5, "member", null, topics);
  return body;
}

describe("OffsetCommit to brokers before 2.1", () => {
  it.each([
    [2, offsetCommitV2.api],
    [3, offsetCommitV3.api],
    [4, offsetCommitV4.api],
  ])(
    "I-1: version %i asks for a long retention, so that partitions without traffic are not forgotten",
    (version, theirs) => {
      const ours = OFFSET_COMMIT.versions.find((api) => api.version === version);
      const expected = bodyOf(theirs as Commit);
      const at = "..group....".length + "..member".length;
      expect(expected.readBigInt64BE(at)).toBe(-1n);
      expected.writeBigInt64BE(BigInt(OFFSET_RETENTION_MS), at);
      expect(bodyOf(ours as Commit)).toEqual(expected);
      expect(OFFSET_RETENTION_MS).toBeGreaterThan(30 * 24 * 3_600_000);
    },
  );

  it("later versions don't say a retention", () => {
    const later = OFFSET_COMMIT.versions.filter(({ version }) => version > 4);
    const retention = Buffer.alloc(8);
    retention.writeBigInt64BE(BigInt(OFFSET_RETENTION_MS));
    for (const api of later) expect(bodyOf(api).includes(retention)).toBe(false);
  });
});
