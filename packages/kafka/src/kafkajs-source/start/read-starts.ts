/**
 * Where partitions start. kafkajs's consumer would resolve a start of its own (and a crash before the first commit would resolve a newer one,
 * K-12); here the brokers are asked, and the event poller decides.
 */
import { type Assignment, PenstockError } from "@penstock/core";
import { KAFKA, kafkaRefusal } from "../../cluster/kafka-error.ts";
import { startOf } from "../../source/read-starts.ts";
import type { ReadStarts } from "../../source/start-reader.ts";
import type { KafkajsBrokers } from "../client/kafkajs-client.ts";
import type { CoordinatorRequests } from "../group/group-requests.ts";
import { fetchOffsets } from "./group-offsets.ts";
import { readEnds } from "./log-ends.ts";

export function startsOf(
  client: KafkajsBrokers,
  requests: CoordinatorRequests,
  groupId: string,
): ReadStarts {
  return async (assignments, { commitsIdle, isWanted, found }) => {
    const failed = new Map<Assignment, PenstockError>();
    try {
      await commitsIdle();
      const partitions = assignments.map(({ partition }) => partition);
      const { errorCode, offsets } = await fetchOffsets(client, requests, groupId, partitions);
      if (errorCode !== KAFKA.none) throw refusal(errorCode);
      const ends = await readEnds(client, partitions);
      for (const assignment of assignments) {
        const row = offsets.get(assignment.partition);
        const range = ends.get(assignment.partition);
        const code = row?.errorCode ?? KAFKA.unknownServerError;
        if (!row || code !== KAFKA.none) failed.set(assignment, refusal(code));
        else if (!range || range instanceof PenstockError)
          failed.set(assignment, range ?? refusal(KAFKA.unknownServerError));
        else if (isWanted(assignment)) found(assignment, { committed: startOf(row), ...range });
      }
    } catch (error) {
      const problem = client.problemOf(error, `topic "${client.topic}"`);
      for (const assignment of assignments)
        if (isWanted(assignment)) failed.set(assignment, problem);
    }
    return failed;
  };

  function refusal(code: number): PenstockError {
    requests.elsewhere();
    return kafkaRefusal(code, `consumer group "${groupId}"`);
  }
}
