import { type Assignment, formatCommitMetadata, PenstockError } from "@penstock/core";
import { describe, expect, it } from "vitest";
import { KAFKA } from "../cluster/kafka-error.ts";
import { OffsetCommitter } from "./offset-committer.ts";
import type { CommitRow, GroupTopic } from "./offset-wire.ts";
import { FakeMembership } from "./testing/fake-membership.ts";

/** A coordinator that answers each request as the test says: a code for all partitions, or a function. */
function world(...answers: (number | ((epoch: number, row: CommitRow) => number) | Error)[]) {
  const membership = new FakeMembership();
  const sent: { epoch: number; rows: readonly CommitRow[] }[] = [];
  const problems: (PenstockError | null)[] = [];
  let moves = 0;
  const committer = new OffsetCommitter({
    groupId: "g",
    membership,
    send: async ({ epoch }: GroupTopic, rows) => {
      sent.push({ epoch, rows });
      const answer = answers.shift() ?? KAFKA.none;
      if (answer instanceof Error) throw answer;
      return new Map(
        rows.map((row) => [
          row.partition,
          typeof answer === "number" ? answer : answer(epoch, row),
        ]),
      );
    },
    elsewhere: () => {
      moves++;
    },
    problem: (problem) => problems.push(problem),
  });
  const commit = (...pairs: [Assignment, bigint][]) =>
    committer.commit(pairs.map(([assignment, offset]) => ({ assignment, offset, metadata: "x" })));
  return { membership, sent, problems, committer, commit, moves: () => moves };
}

describe("OffsetCommitter", () => {
  it("I-5: sends each commit under the epoch of its assignment, never under the present one", async () => {
    const { membership, sent, commit } = world();
    const old = membership.own(0, 1);
    const newer = membership.own(1, 4);
    membership.memberEpoch = 9;
    expect(await commit([old, 10n], [newer, 20n])).toEqual(["committed", "committed"]);
    expect(sent.map(({ epoch, rows }) => [epoch, rows.map(({ partition }) => partition)])).toEqual([
      [1, [0]],
      [4, [1]],
    ]);
  });

  it("I-5: sends nothing for an assignment that is dead", async () => {
    const { membership, sent, commit } = world();
    const dead = membership.own(0);
    membership.release(dead);
    expect(await commit([dead, 10n])).toEqual(["fenced"]);
    expect(sent).toEqual([]);
  });

  it("I-7: refuses an offset below one that was sent, whatever became of it", async () => {
    const { membership, commit } = world(new PenstockError("kafkaUnavailable", "gone"));
    const assignment = membership.own(0);
    expect(await commit([assignment, 10n])).toEqual(["unknown"]);
    await expect(commit([assignment, 9n])).rejects.toThrow(/goes back/);
    expect(await commit([assignment, 10n])).toEqual(["committed"]);
  });

  it("F35: no answer is unknown; nothing is lost", async () => {
    const { membership, commit, moves } = world(new PenstockError("kafkaUnavailable", "gone"));
    const assignment = membership.own(0);
    expect(await commit([assignment, 10n])).toEqual(["unknown"]);
    expect(membership.isAlive(assignment)).toBe(true);
    expect(moves()).toBe(1);
  });

  it("F03: a coordinator that moved is looked for, and the same number sent under the same epoch", async () => {
    const { membership, sent, commit, moves } = world(
      KAFKA.notCoordinator,
      KAFKA.coordinatorLoadInProgress,
    );
    membership.memberEpoch = 5;
    const assignment = membership.own(0, 2);
    expect(await commit([assignment, 10n])).toEqual(["committed"]);
    expect(moves()).toBe(2);
    expect(sent.map(({ epoch, rows }) => [epoch, rows[0]?.offset])).toEqual(
      Array(3).fill([2, 10n]),
    );
  });

  it.each([KAFKA.unknownMemberId, KAFKA.fencedMemberEpoch, KAFKA.fencedInstanceId])(
    "F35: code %i loses everything",
    async (code) => {
      const { membership, commit } = world(code);
      const [one, two] = [membership.own(0), membership.own(1)];
      expect(await commit([one, 10n])).toEqual(["fenced"]);
      expect(membership.isAlive(two)).toBe(false);
      expect(membership.incarnation).toBe(2);
    },
  );

  it("leaves out metadata that is too large, for the partition that has it", async () => {
    const { membership, sent, commit } = world((_epoch, { partition }) =>
      partition === 0 ? KAFKA.offsetMetadataTooLarge : KAFKA.none,
    );
    const result = await commit([membership.own(0), 10n], [membership.own(1), 20n]);
    expect(result).toEqual(["committed", "committed"]);
    expect(sent[1]?.rows).toEqual([{ partition: 0, offset: 10n, metadata: "" }]);
  });

  it("F14: of metadata that are too large the gaps are left out first, and the topic only when that doesn't help", async () => {
    const { membership, committer, sent } = world(
      KAFKA.offsetMetadataTooLarge,
      (_, { partition }) => (partition === 1 ? KAFKA.offsetMetadataTooLarge : KAFKA.none),
    );
    const gapId = "7d9f7c3e-0000-4000-8000-000000000001";
    const gap = {
      gapId,
      firstOffset: 5n,
      lastOffset: 9n,
      reason: "undecodable",
      wallMs: 1,
    } as const;
    const topic = formatCommitMetadata("0f3d2c1b-0000-4000-8000-00000000000a");
    const metadata = formatCommitMetadata("0f3d2c1b-0000-4000-8000-00000000000a", [gap]);
    const commits = [0, 1].map((partition) => ({
      assignment: membership.own(partition),
      offset: 10n,
      metadata,
    }));
    expect(await committer.commit(commits)).toEqual(["committed", "committed"]);
    expect(sent.map(({ rows }) => rows.map((row) => row.metadata))).toEqual([
      [metadata, metadata],
      [topic, topic],
      [""],
    ]);
  });

  it("a refusal by access control is a problem and unknown, and heals", async () => {
    const { membership, commit, problems } = world(KAFKA.groupAuthorizationFailed);
    const assignment = membership.own(0);
    expect(await commit([assignment, 10n])).toEqual(["unknown"]);
    expect(problems.at(-1)?.code).toBe("kafkaAuthorization");
    expect(await commit([assignment, 10n])).toEqual(["committed"]);
    expect(problems.at(-1)).toBeNull();
  });

  describe("F35: a stale epoch", () => {
    const onlyPresent = (present: number) => (epoch: number) =>
      epoch === present ? KAFKA.none : KAFKA.staleMemberEpoch;

    it("is repeated once under the present epoch when a later heartbeat proved the member; the next commit begins there", async () => {
      const { membership, sent, commit } = world(onlyPresent(3), onlyPresent(3), onlyPresent(3));
      const assignment = membership.own(0, 2);
      membership.memberEpoch = 3;
      expect(await commit([assignment, 10n])).toEqual(["committed"]);
      expect(membership.confirms).toBe(1);
      expect(await commit([assignment, 11n])).toEqual(["committed"]);
      expect(sent.map(({ epoch }) => epoch)).toEqual([2, 3, 3]);
    });

    it("is fenced when the repeat is refused too", async () => {
      const { membership, sent, commit } = world(KAFKA.staleMemberEpoch, KAFKA.staleMemberEpoch);
      const assignment = membership.own(0, 2);
      membership.memberEpoch = 3;
      expect(await commit([assignment, 10n])).toEqual(["fenced"]);
      expect(membership.fencedOnes).toEqual([assignment]);
      expect(sent).toHaveLength(2);
    });

    it("is unknown when no heartbeat succeeds", async () => {
      const { membership, sent, commit } = world(KAFKA.staleMemberEpoch);
      const assignment = membership.own(0, 2);
      membership.memberEpoch = 3;
      membership.onConfirm = () => false;
      expect(await commit([assignment, 10n])).toEqual(["unknown"]);
      expect(membership.isAlive(assignment)).toBe(true);
      expect(sent).toHaveLength(1);
    });

    it("is fenced when the epoch is the present one, or the target revokes the partition, or it was lost meanwhile", async () => {
      const stale = KAFKA.staleMemberEpoch;
      const { membership, sent, commit } = world(stale, stale, stale);
      const present = membership.own(0, 1);
      expect(await commit([present, 10n])).toEqual(["fenced"]);

      membership.memberEpoch = 3;
      const revoked = membership.own(1, 2);
      membership.onConfirm = () => membership.revoking.add(revoked) !== undefined;
      expect(await commit([revoked, 10n])).toEqual(["fenced"]);

      const lost = membership.own(2, 2);
      membership.onConfirm = () => membership.alive.delete(lost);
      expect(await commit([lost, 10n])).toEqual(["fenced"]);
      expect(sent).toHaveLength(3);
    });
  });

  describe("F35: in a classic group", () => {
    it("I-5: commits carry the generation that the member knows, whatever their assignment's is, and it is never newer", async () => {
      const { membership, sent, commit } = world();
      const [old, newer] = [membership.own(0, 2), membership.own(1, 5)];
      membership.generation = 5;
      expect(await commit([old, 1n], [newer, 2n])).toEqual(["committed", "committed"]);
      expect(sent.map(({ epoch, rows }) => [epoch, rows.length])).toEqual([[5, 2]]);
    });

    it("nothing is sent between two generations; what waited goes under the next one, if it is still ours", async () => {
      const { membership, sent, commit } = world();
      const [kept, lost] = [membership.own(0, 2), membership.own(1, 2)];
      membership.generation = "none";
      const running = commit([kept, 1n], [lost, 2n]);
      await Promise.resolve();
      expect(sent).toEqual([]);
      membership.generation = 3;
      membership.release(lost);
      expect(await running).toEqual(["committed", "fenced"]);
      expect(sent.map(({ epoch, rows }) => [epoch, rows[0]?.partition])).toEqual([[3, 0]]);
    });

    it("one that crossed a change of generation goes again under the new one, also while its partition drains", async () => {
      const { membership, sent, commit, problems } = world(
        () => {
          membership.generation = 3;
          return KAFKA.illegalGeneration;
        },
        KAFKA.rebalanceInProgress,
        KAFKA.none,
      );
      membership.generation = 2;
      const assignment = membership.own(0, 2);
      membership.revoking.add(assignment);
      expect(await commit([assignment, 4n])).toEqual(["committed"]);
      expect(sent.map(({ epoch }) => epoch)).toEqual([2, 3, 3]);
      expect(membership.confirms).toBe(0);
      expect(problems.filter((problem) => problem !== null)).toEqual([]);
    });

    it("is fenced when the coordinator refuses the generation that a heartbeat has just proved; unknown when none succeeds", async () => {
      const { membership, commit } = world(KAFKA.illegalGeneration, KAFKA.illegalGeneration);
      membership.generation = membership.memberEpoch;
      const assignment = membership.own(0);
      membership.onConfirm = () => false;
      expect(await commit([assignment, 4n])).toEqual(["unknown"]);
      membership.onConfirm = () => true;
      expect(await commit([assignment, 4n])).toEqual(["fenced"]);
      expect(membership.fencedOnes).toEqual([assignment]);
    });

    it("is unknown when the rebalance takes longer than it is waited for", async () => {
      const { membership, commit } = world(...Array(9).fill(KAFKA.rebalanceInProgress));
      membership.generation = 1;
      expect(await commit([membership.own(0), 4n])).toEqual(["unknown"]);
    });
  });

  it("idle resolves when what was begun is answered", async () => {
    const { membership, committer, commit } = world();
    const running = commit([membership.own(0), 1n]);
    let isIdle = false;
    const idle = committer.idle().then(() => {
      isIdle = true;
    });
    expect(isIdle).toBe(false);
    await running;
    await idle;
    expect(isIdle).toBe(true);
  });
});
