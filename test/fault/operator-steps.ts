/** What an operator does to a mapping and to its consumer group. */

import { mapping } from "@penstock/proto";
import type { Flow } from "@penstock/testkit";
import { Admin } from "@platformatic/kafka";

const { ENABLED, DISABLED } = mapping.MappingState;

/** Disables or enables, and waits until that is done. */
export async function setEnabled(flow: Flow, enabled: boolean): Promise<void> {
  await flow.world.mappings.updateEventSourceMapping({ uuid: flow.mappingId, enabled });
  await flow.world.waitForState(flow.mappingId, enabled ? ENABLED : DISABLED, 60_000);
}

/** Sets the group's offset of partition 0. */
export async function commitByHand(
  kafka: string,
  groupId: string,
  topic: string,
  offset: bigint,
): Promise<void> {
  await asOperator(kafka, (admin) =>
    admin.alterConsumerGroupOffsets({
      groupId,
      topics: [{ name: topic, partitionOffsets: [{ partition: 0, offset }] }],
    }),
  );
}

export async function asOperator<T>(kafka: string, act: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Admin({ clientId: "operator", bootstrapBrokers: [kafka] });
  try {
    return await act(admin);
  } finally {
    await admin.close();
  }
}

/** What happened to a mapping, oldest first: `kind: message`. */
export async function historyOf(flow: Flow): Promise<string[]> {
  const { events } = await flow.world.mappings.listEventSourceMappingEvents({
    uuid: flow.mappingId,
  });
  return events.map(({ kind, message }) => `${kind}: ${message}`).reverse();
}
