import { Code, ConnectError } from "@connectrpc/connect";
import { mapping } from "@penstock/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../postgres/test-postgres.ts";
import { type ApiWorld, startApiWorld } from "./api-world.ts";
import { startTestMappingService, type TestMappingService } from "./test-mapping-service.ts";

const { MappingState } = mapping;
let world: ApiWorld;
let replica: TestMappingService;
let db: ApiWorld["db"];

beforeAll(async () => {
  world = await startApiWorld();
  db = world.db;
  replica = await startTestMappingService(world.databaseUrl, { dataDir: world.dataDir });
  await until(async () => (await replica.functions.listFunctions({}).catch(() => null)) !== null);
});
afterAll(async () => {
  await replica.stop();
  await world.stop();
});

const createMapping = async () => (await world.createMapping()).uuid;

/** Follows a mapping; `messages` grows. */
function follow(service: TestMappingService, uuid: string, afterRevision?: bigint) {
  const end = new AbortController();
  const messages: mapping.EventSourceMapping[] = [];
  const done = (async (): Promise<Code | "ok"> => {
    try {
      const call = service.mappings.watchEventSourceMapping(
        { uuid, ...(afterRevision !== undefined && { afterRevision }) },
        { signal: end.signal },
      );
      for await (const { eventSourceMapping } of call) {
        if (eventSourceMapping) messages.push(eventSourceMapping);
      }
      return "ok";
    } catch (error) {
      return ConnectError.from(error).code;
    }
  })();
  return { messages, done, end };
}

describe("WatchEventSourceMapping", () => {
  it("sends the mapping as it is, then each change, also one made through another replica", async () => {
    const uuid = await createMapping();
    const watch = follow(world, uuid);
    await until(() => watch.messages.length === 1);
    expect(watch.messages[0]).toMatchObject({ uuid, state: MappingState.CREATING, revision: 1n });
    await world.setState(uuid, "Enabled");
    await replica.mappings.updateEventSourceMapping({ uuid, batchSize: 5 });
    await until(() => watch.messages.at(-1)?.batchSize === 5);
    await world.setState(uuid, "Enabled");
    await until(() => watch.messages.at(-1)?.state === MappingState.ENABLED);
    watch.end.abort();
    expect(await watch.done).toBe(Code.Canceled);
  });

  it("shows positions, lag, gaps, and the nodes that a stop waits for", async () => {
    const uuid = await createMapping();
    const watch = follow(world, uuid);
    const [topicId, nodeId] = [crypto.randomUUID(), crypto.randomUUID()];
    await db.sql`
      insert into partition_progress
        (mapping_id, topic_id, partition, assignment_epoch, node_id, position, committed_offset, log_end_offset)
      values (${uuid}, ${topicId}, 0, 1, ${nodeId}, 60, 50, 100), (${uuid}, ${topicId}, 1, 1, ${nodeId}, 7, -1, 10),
             (${uuid}, ${topicId}, 2, 1, ${nodeId}, 7, 7, -1)`;
    await db.sql`
      insert into pinned_starts (mapping_id, topic_id, partition, start_offset)
      values (${uuid}, ${topicId}, 1, 4)`;
    await db.sql`
      insert into gaps (id, mapping_id, topic_id, topic, partition, first_offset, last_offset, reason, message)
      values (${crypto.randomUUID()}, ${uuid}, ${topicId}, 'orders', 0, 3, 9, 'TRUNCATED', 'gone')`;
    await until(() => watch.messages.at(-1)?.gaps.length === 1);
    const last = watch.messages.at(-1);
    expect(last?.partitions.map(({ partition, lag }) => [partition, lag])).toEqual([
      [0, 50n],
      [1, 6n],
      [2, 0n],
    ]);
    expect(last?.partitions[0]).toMatchObject({
      position: 60n,
      committedOffset: 50n,
      logEndOffset: 100n,
      nodeId,
    });
    expect(last?.gaps).toMatchObject([
      { firstOffset: 3n, lastOffset: 9n, reason: mapping.GapReason.TRUNCATED, message: "gone" },
    ]);
    await db.sql`
      insert into nodes (id, kind, address, version, replica_id)
      values (${nodeId}, 'poller', 'h:1', '1', ${crypto.randomUUID()})`;
    await db.sql`
      insert into holdings (node_id, mapping_id, poller_index, member_id, revision, has_joined)
      values (${nodeId}, ${uuid}, 0, 'm', 1, true)`;
    await world.setState(uuid, "Enabled");
    await world.mappings.updateEventSourceMapping({ uuid, enabled: false });
    await until(() => watch.messages.at(-1)?.waitingForNodes.includes(nodeId) === true);
    watch.end.abort();
    await watch.done;
  });

  it("ends with OK after a last DELETING when the mapping is gone", async () => {
    const uuid = await createMapping();
    const watches = [follow(world, uuid), follow(replica, uuid)];
    await until(() => watches.every(({ messages }) => messages.length > 0));
    await db.sql`delete from mappings where id = ${uuid}`;
    for (const { done, messages } of watches) {
      expect(await done).toBe("ok");
      expect(messages.at(-1)?.state).toBe(MappingState.DELETING);
    }
  });

  it("after a revision: says nothing while the mapping is settled at it, then each change", async () => {
    const { uuid, revision } = await world.createSettled();
    const [knowing, behind] = [follow(world, uuid, revision), follow(world, uuid, revision - 1n)];
    await until(() => behind.messages.length === 1);
    await world.mappings.updateEventSourceMapping({ uuid, batchSize: 5 });
    await until(() => knowing.messages.length > 0 && behind.messages.length > 1);
    expect(knowing.messages[0]).toMatchObject({ batchSize: 5, revision: revision + 1n });
    const inTransition = follow(world, uuid, revision + 1n);
    await until(() => inTransition.messages.length === 1);
    for (const each of [knowing, behind, inTransition]) {
      each.end.abort();
      await each.done;
    }
  });

  it("refuses unknown mappings and bad UUIDs", async () => {
    expect(await follow(world, crypto.randomUUID()).done).toBe(Code.NotFound);
    expect(await follow(world, "x").done).toBe(Code.InvalidArgument);
  });

  it("merges changes for a slow reader: the newest is what it gets", async () => {
    const uuid = await createMapping();
    const call = world.mappings.watchEventSourceMapping({ uuid });
    const reader = call[Symbol.asyncIterator]();
    await reader.next();
    for (let size = 1; size <= 200; size++) {
      await db.sql`update mappings set batch_size = ${size} where id = ${uuid}`;
      if (size % 20 === 0) await db.sql`select pg_notify('penstock_mappings', ${uuid})`;
    }
    let count = 0;
    for (let size = 0; size !== 200; count++) {
      size = (await reader.next()).value?.eventSourceMapping?.batchSize ?? 0;
    }
    expect(count).toBeLessThan(200);
    await reader.return?.();
  });

  it("ends with UNAVAILABLE when the service stops, so that clients go elsewhere", async () => {
    const uuid = await createMapping();
    const leaving = await startTestMappingService(world.databaseUrl, {
      dataDir: world.dataDir,
    });
    await until(async () => (await leaving.functions.listFunctions({}).catch(() => null)) !== null);
    const watch = follow(leaving, uuid);
    await until(() => watch.messages.length === 1);
    await leaving.service.stop();
    expect(await watch.done).toBe(Code.Unavailable);
    await leaving.stop();
  });
});
