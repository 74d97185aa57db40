import {
  type Assign,
  compareText,
  emptyAssignment,
  type GroupMemberView,
  give,
  inJavaOrder,
} from "./assignor.ts";

/** Java's RangeAssignor (without racks): of each topic a contiguous run for each of its readers, the first ones get one more. */
export const assignRanges: Assign = (members, partitionCounts) => {
  const assignment = emptyAssignment(members);
  for (const [topic, count] of partitionCounts) {
    const readers = inJavaOrder(members.filter(({ topics }) => topics.includes(topic)));
    const each = Math.floor(count / readers.length);
    const more = count % readers.length;
    readers.forEach(({ memberId }, index) => {
      const start = each * index + Math.min(index, more);
      const length = each + (index < more ? 1 : 0);
      give(
        assignment,
        memberId,
        topic,
        Array.from({ length }, (_, at) => start + at),
      );
    });
  }
  return assignment;
};

/** Java's RoundRobinAssignor: all partitions in order of topic and number, dealt to the members in a circle that skips those who don't read the topic. */
export const assignRoundRobin: Assign = (members, partitionCounts) => {
  const assignment = emptyAssignment(members);
  const circle = inJavaOrder(members).map((member) => ({
    member,
    topics: new Set(member.topics),
  }));
  const isRead = (topic: string) => circle.some(({ topics }) => topics.has(topic));
  let at = 0;
  for (const [topic, count] of [...partitionCounts].sort(([a], [b]) => compareText(a, b))) {
    if (!isRead(topic)) continue;
    for (let partition = 0; partition < count; partition++) {
      let next: GroupMemberView | null = null;
      while (next === null) {
        const { member, topics } = circle[at % circle.length] as (typeof circle)[number];
        if (topics.has(topic)) next = member;
        at++;
      }
      give(assignment, next.memberId, topic, [partition]);
    }
  }
  return assignment;
};
