import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Assign, GroupAssignment, GroupMemberView } from "./assignor.ts";
import { withoutTransfers } from "./cooperative.ts";
import { assignRanges, assignRoundRobin } from "./range.ts";
import { assignSticky } from "./sticky.ts";

const TOPICS = ["a", "b", "c", "d"];

/** A group with members that read different topics, and claims of every kind: stale, contradicted, of partitions that aren't there. */
const group = fc
  .record({
    counts: fc.array(fc.nat(9), { minLength: 4, maxLength: 4 }),
    members: fc.array(
      fc.record({
        topics: fc.uniqueArray(fc.constantFrom(...TOPICS, "missing"), { maxLength: 4 }),
        owned: fc.array(fc.record({ topic: fc.constantFrom(...TOPICS), partition: fc.nat(11) }), {
          maxLength: 12,
        }),
        generation: fc.integer({ min: -1, max: 3 }),
        isStatic: fc.boolean(),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  })
  .map(({ counts, members }) => ({
    partitionCounts: new Map(TOPICS.map((topic, index) => [topic, counts[index] ?? 0])),
    members: members.map(({ topics, owned, generation, isStatic }, index): GroupMemberView => {
      const unique = [...new Set(owned.map((one) => `${one.topic}/${one.partition}`))];
      return {
        memberId: `m${index}`,
        groupInstanceId: isStatic ? `i${9 - index}` : null,
        topics,
        owned: unique.map((key) => {
          const [topic = "", partition = ""] = key.split("/");
          return { topic, partitions: [Number(partition)] };
        }),
        generation,
      };
    }),
  }));

const keysOf = (topics: ReadonlyMap<string, readonly number[]> | undefined) =>
  [...(topics ?? [])].flatMap(([topic, partitions]) => partitions.map((one) => `${topic}/${one}`));
const ownersOf = (assignment: GroupAssignment) => {
  const owners = new Map<string, string[]>();
  for (const [memberId, topics] of assignment)
    for (const key of keysOf(topics)) owners.set(key, [...(owners.get(key) ?? []), memberId]);
  return owners;
};
const claimsOf = ({ owned }: GroupMemberView) =>
  owned.flatMap(({ topic, partitions }) => partitions.map((one) => `${topic}/${one}`));

const ALL: [string, Assign][] = [
  ["sticky", assignSticky],
  ["range", assignRanges],
  ["round robin", assignRoundRobin],
];

describe("the assignors", () => {
  it.each(ALL)(
    "I-18: %s gives every partition that somebody reads to one who reads it",
    (_, assign) => {
      fc.assert(
        fc.property(group, ({ members, partitionCounts }) => {
          const owners = ownersOf(assign(members, partitionCounts));
          for (const [topic, count] of partitionCounts) {
            const readers = members.filter(({ topics }) => topics.includes(topic));
            for (let partition = 0; partition < count; partition++) {
              const [owner, ...more] = owners.get(`${topic}/${partition}`) ?? [];
              expect(more).toEqual([]);
              if (readers.length === 0) expect(owner).toBeUndefined();
              else expect(readers.map(({ memberId }) => memberId)).toContain(owner);
            }
          }
          const total = [...owners.keys()].every((key) => {
            const [topic = "", partition = ""] = key.split("/");
            return Number(partition) < (partitionCounts.get(topic) ?? 0);
          });
          expect(total, "nothing that isn't there").toBe(true);
        }),
      );
    },
  );

  it("sticky: nobody has two more than another who could take one of them", () => {
    fc.assert(
      fc.property(group, ({ members, partitionCounts }) => {
        const assignment = assignSticky(members, partitionCounts);
        for (const to of members)
          for (const from of members) {
            const has = keysOf(assignment.get(from.memberId));
            const difference = has.length - keysOf(assignment.get(to.memberId)).length;
            const mayMove = has.some((key) => to.topics.includes(key.split("/")[0] ?? ""));
            if (mayMove) expect(difference).toBeLessThanOrEqual(1);
          }
      }),
    );
  });

  it("sticky: what comes out and goes in again comes out the same", () => {
    fc.assert(
      fc.property(group, ({ members, partitionCounts }) => {
        const first = assignSticky(members, partitionCounts);
        const again = members.map((member) => ({
          ...member,
          generation: 5,
          owned: [...(first.get(member.memberId) ?? [])].map(([topic, partitions]) => ({
            ...{ topic, partitions },
          })),
        }));
        const second = assignSticky(again, partitionCounts);
        for (const { memberId } of members)
          expect(keysOf(second.get(memberId)).sort()).toEqual(keysOf(first.get(memberId)).sort());
      }),
    );
  });

  it("sticky: a member that comes or goes moves no more than its share", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.nat(30), (size, count) => {
        const counts = new Map([["a", count]]);
        const member = (index: number): GroupMemberView => ({
          ...{ memberId: `m${index}`, groupInstanceId: null, topics: ["a"] },
          ...{ owned: [], generation: -1 },
        });
        const withClaims = (members: GroupMemberView[], assignment: GroupAssignment) =>
          members.map((one) => ({
            ...one,
            generation: 1,
            owned: [...(assignment.get(one.memberId) ?? [])].map(([topic, partitions]) => ({
              ...{ topic, partitions },
            })),
          }));
        const members = Array.from({ length: size }, (_, index) => member(index));
        const before = assignSticky(members, counts);
        const after = assignSticky([...withClaims(members, before), member(size)], counts);
        const moved = keysOf(after.get(`m${size}`)).length;
        const kept = members.every((one) => {
          const had = keysOf(before.get(one.memberId));
          return keysOf(after.get(one.memberId)).every((key) => had.includes(key));
        });
        expect(kept, "nothing moves between those who stay").toBe(true);
        expect(moved).toBeLessThanOrEqual(Math.floor(count / (size + 1)) + 1);
      }),
    );
  });

  it("sticky: of several who claim a partition the one of the newest generation keeps it", () => {
    const claim = (memberId: string, generation: number): GroupMemberView => ({
      ...{ memberId, groupInstanceId: null, topics: ["a"], generation },
      owned: [{ topic: "a", partitions: [0] }],
    });
    const counts = new Map([["a", 2]]);
    const assignment = assignSticky([claim("m1", 3), claim("m2", 4)], counts);
    expect(assignment.get("m2")).toEqual(new Map([["a", [0]]]));
  });

  it.each(ALL)(
    "F30, I-18: what is left of %s after the transfers are taken out gives nothing to a second owner",
    (_, assign) => {
      fc.assert(
        fc.property(group, ({ members, partitionCounts }) => {
          const assignment = assign(members, partitionCounts);
          const safe = withoutTransfers(assignment, members);
          for (const [key, [owner]] of ownersOf(safe)) {
            const claimants = members.filter((member) => claimsOf(member).includes(key));
            const ids = claimants.map(({ memberId }) => memberId);
            if (ids.length > 0) expect(ids).toContain(owner);
          }
          for (const [key, [owner]] of ownersOf(assignment)) {
            const isClaimed = members.some((member) => claimsOf(member).includes(key));
            if (!isClaimed) expect(ownersOf(safe).get(key)).toEqual([owner]);
          }
        }),
      );
    },
  );
});

describe("the eager assignors", () => {
  const reader = (memberId: string, topics: string[], groupInstanceId: string | null = null) => ({
    ...{ memberId, groupInstanceId, topics, owned: [], generation: -1 },
  });
  const plain = (assignment: GroupAssignment) =>
    Object.fromEntries([...assignment].map(([id, topics]) => [id, Object.fromEntries(topics)]));

  it("range gives what Java's RangeAssignor gives", () => {
    const members = [reader("c1", ["a", "b"]), reader("c0", ["a", "b"]), reader("c2", ["b"])];
    const counts = new Map([
      ["a", 3],
      ["b", 4],
    ]);
    expect(plain(assignRanges(members, counts))).toEqual({
      c0: { a: [0, 1], b: [0, 1] },
      c1: { a: [2], b: [2] },
      c2: { b: [3] },
    });
  });

  it("round robin gives what Java's RoundRobinAssignor gives", () => {
    // The example of its documentation: C0 reads t0; C1 t0 and t1; C2 all three.
    const members = [
      reader("C0", ["t0"]),
      reader("C1", ["t0", "t1"]),
      reader("C2", ["t0", "t1", "t2"]),
    ];
    const counts = new Map([
      ["t0", 1],
      ["t1", 2],
      ["t2", 3],
    ]);
    expect(plain(assignRoundRobin(members, counts))).toEqual({
      C0: { t0: [0] },
      C1: { t1: [0] },
      C2: { t1: [1], t2: [0, 1, 2] },
    });
  });

  it("static members come first, in order of their instance ids", () => {
    const members = [reader("m0", ["a"]), reader("m1", ["a"], "z"), reader("m2", ["a"], "y")];
    expect(plain(assignRanges(members, new Map([["a", 3]])))).toEqual({
      m2: { a: [0] },
      m1: { a: [1] },
      m0: { a: [2] },
    });
  });
});
