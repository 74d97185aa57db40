import { create } from "@bufbuild/protobuf";
import { type ErrorCode, PenstockError } from "@penstock/core";
import { mapping } from "@penstock/proto";
import type { BoundedLooks } from "../bounded-looks.ts";
import type { OpenSource, Source } from "../source-admin.ts";
import { problem } from "./validation-problems.ts";

export interface LookedAt extends Source {
  readonly topic: string;
  /** Null = the mapping's UUID, which no group has yet. */
  readonly consumerGroupId: string | null;
  /** Of a mapping that runs: its event pollers. */
  readonly ourMemberIds: ReadonlySet<string>;
}

export interface SourceFindings {
  readonly problems: readonly mapping.ValidationProblem[];
  readonly source: mapping.SourceDescription | null;
}

/** Connects and asks what an event poller would: topic, then group. What the brokers refuse is a problem of the field that causes it. */
export async function lookAtSource(
  looks: BoundedLooks,
  open: OpenSource,
  at: LookedAt,
  ms: number,
): Promise<SourceFindings> {
  try {
    return await looks.run(
      () => open(at),
      ms,
      async (source) => {
        const { topicId, partitions } = await source.describeTopic(at.topic);
        const description = { topicId, partitions: partitions.length };
        const group =
          at.consumerGroupId === null
            ? { foreignMembers: [], hasCommittedOffsets: false }
            : await describeGroup(source, at.consumerGroupId, at);
        return {
          problems: [],
          source: create(mapping.SourceDescriptionSchema, { ...description, ...group }),
        };
      },
    );
  } catch (error) {
    if (!(error instanceof PenstockError) || error.code === "limitExceeded") throw error;
    return { problems: [problem(fieldOf(error.code), error.code, error.message)], source: null };
  }
}

async function describeGroup(
  source: ReturnType<OpenSource>,
  groupId: string,
  { topic, ourMemberIds }: LookedAt,
) {
  const { members } = await source.describeGroup(groupId);
  const committed = await source.committedOffsets(groupId, topic);
  return {
    foreignMembers: members
      .filter(({ memberId }) => !ourMemberIds.has(memberId))
      .map(({ clientId, memberId }) => `${clientId} (${memberId})`),
    hasCommittedOffsets: committed.size > 0,
  };
}

const SERVERS = "self_managed_event_source.endpoints.kafka_bootstrap_servers";
const ACCESS = "source_access_configurations";

/** The field to change for a refusal; empty when it is not a field's fault. */
function fieldOf(code: ErrorCode): string {
  switch (code) {
    case "kafkaHostUnknown":
    case "kafkaUnavailable":
    case "kafkaUnsupported":
    case "addressDenied":
    case "deadlineExceeded":
      return SERVERS;
    case "kafkaTls":
    case "kafkaProtocolMismatch":
    case "kafkaAuthentication":
    case "secretMissing":
    case "secretMalformed":
    case "secretDenied":
    case "secretUnavailable":
      return ACCESS;
    case "kafkaTopicMissing":
      return "topics";
    default:
      return "";
  }
}
