import { createClient } from "@connectrpc/connect";
import { fleet } from "@penstock/proto";
import { type ClientSecurity, createRpcTransport, type Logger } from "@penstock/runtime";

/** An adoption does not wait longer than this for the archive: the pinned start is then the safe answer. */
const ARCHIVE_TIMEOUT_MS = 2000;

/**
 * Reads archived positions from the mapping service, for partitions whose group has no committed offset. Null when there is none, or
 * when nobody can be asked: starting at the pin may repeat records, and loses none.
 */
export function createArchiveReader(address: string, security: ClientSecurity, log: Logger) {
  const client = createClient(fleet.FleetService, createRpcTransport({ address, security }));
  return async (mappingId: string, topicId: string, partition: number): Promise<bigint | null> => {
    try {
      const { positions } = await client.getPositions(
        { mappingId, topicId, partitions: [partition] },
        { timeoutMs: ARCHIVE_TIMEOUT_MS },
      );
      const found = positions.find((position) => position.partition === partition);
      return found === undefined || found.committedOffset < 0n ? null : found.committedOffset;
    } catch (error) {
      log.warn("archived position not read; starting at the pinned start", {
        mappingId,
        topicId,
        partition,
        error,
      });
      return null;
    }
  };
}
