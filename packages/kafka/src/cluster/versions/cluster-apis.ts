/**
 * What every broker answers: who leads what, who coordinates a group, where a log begins and ends. From Kafka 0.10.1 on, so that a mapping can be looked
 * after also where only the kafkajs driver can read.
 */
import {
  findCoordinatorV0,
  findCoordinatorV1,
  findCoordinatorV2,
  findCoordinatorV3,
  findCoordinatorV4,
  listOffsetsV1,
  listOffsetsV2,
  listOffsetsV3,
  listOffsetsV4,
  listOffsetsV5,
  listOffsetsV6,
  listOffsetsV7,
  metadataV1,
  metadataV2,
  metadataV3,
  metadataV4,
  metadataV5,
  metadataV6,
  metadataV7,
  metadataV8,
  metadataV9,
  metadataV10,
  metadataV11,
  metadataV12,
} from "@platformatic/kafka";
import type { VersionTable } from "./ask.ts";

type MetadataArguments = [
  topics: string[] | null,
  allowsCreation: boolean,
  includesOperations: boolean,
];

/** Before it (Kafka 0.11) a question for a topic can create it, so that all topics are asked for (null) instead. */
export const METADATA_WITHOUT_CREATION = 4;

/** Leader epochs come with version 7 (Kafka 2.1), topic ids with version 10 (2.8). */
export const METADATA: VersionTable<MetadataArguments, metadataV12.MetadataResponse> = {
  name: "Metadata",
  since: "0.10.1",
  versions: [
    metadataV12.api,
    metadataV11.api,
    metadataV10.api,
    metadataV9.api,
    metadataV8.api,
    metadataV7.api,
    metadataV6.api,
    metadataV5.api,
    metadataV4.api,
    metadataV3.api,
    metadataV2.api,
    metadataV1.api,
  ],
};

/** Before version 4 (Kafka 3.0) one group in a request; the answer then leaves out its name. */
export const FIND_COORDINATOR: VersionTable<
  [keyType: number, keys: string[]],
  findCoordinatorV4.FindCoordinatorResponse
> = {
  name: "FindCoordinator",
  since: "0.10.1",
  versions: [
    findCoordinatorV4.api,
    findCoordinatorV3.api,
    findCoordinatorV2.api,
    findCoordinatorV1.api,
    findCoordinatorV0.api,
  ],
};

type ListOffsetsArguments = [
  replica: number,
  isolation: 0 | 1,
  topics: listOffsetsV7.ListOffsetsRequestTopic[],
];

/** The isolation level, and so the last stable offset, comes with version 2 (Kafka 0.11), the one that has transactions. */
export const LIST_OFFSETS: VersionTable<ListOffsetsArguments, listOffsetsV7.ListOffsetsResponse> = {
  name: "ListOffsets",
  since: "0.10.1",
  versions: [
    listOffsetsV7.api,
    listOffsetsV6.api,
    listOffsetsV5.api,
    listOffsetsV4.api,
    listOffsetsV3.api,
    listOffsetsV2.api,
    listOffsetsV1.api,
  ],
};
