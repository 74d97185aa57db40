/** Topics and their records. */
import {
  createPartitionsV0,
  createPartitionsV1,
  createPartitionsV2,
  createPartitionsV3,
  createTopicsV0,
  createTopicsV1,
  createTopicsV2,
  createTopicsV3,
  createTopicsV4,
  createTopicsV5,
  createTopicsV6,
  createTopicsV7,
  deleteRecordsV0,
  deleteRecordsV1,
  deleteRecordsV2,
  deleteTopicsV0,
  deleteTopicsV1,
  deleteTopicsV2,
  deleteTopicsV3,
  deleteTopicsV4,
  deleteTopicsV5,
  deleteTopicsV6,
} from "@platformatic/kafka";
import type { VersionTable } from "./ask.ts";

const CURE = "use the tools of your brokers";

type CreateArguments = [
  topics: createTopicsV7.CreateTopicsRequestTopic[],
  timeoutMs: number,
  validatesOnly: boolean,
];

/** The brokers' own replication factor (-1) is understood from version 4 on (Kafka 2.4); the topic id is told from 7 on (2.8). */
export const CREATE_TOPICS: VersionTable<CreateArguments, createTopicsV7.CreateTopicsResponse> = {
  name: "CreateTopics",
  since: "0.10.1",
  cure: CURE,
  versions: [
    createTopicsV7.api,
    createTopicsV6.api,
    createTopicsV5.api,
    createTopicsV4.api,
    createTopicsV3.api,
    createTopicsV2.api,
    createTopicsV1.api,
    createTopicsV0.api,
  ],
};

export const DELETE_TOPICS: VersionTable<
  [topics: deleteTopicsV6.DeleteTopicsRequestTopic[], timeoutMs: number],
  deleteTopicsV6.DeleteTopicsResponse
> = {
  name: "DeleteTopics",
  since: "0.10.1",
  cure: CURE,
  versions: [
    deleteTopicsV6.api,
    deleteTopicsV5.api,
    deleteTopicsV4.api,
    deleteTopicsV3.api,
    deleteTopicsV2.api,
    deleteTopicsV1.api,
    deleteTopicsV0.api,
  ],
};

export const CREATE_PARTITIONS: VersionTable<
  [
    topics: createPartitionsV3.CreatePartitionsRequestTopic[],
    timeoutMs: number,
    validatesOnly: boolean,
  ],
  createPartitionsV3.CreatePartitionsResponse
> = {
  name: "CreatePartitions",
  since: "1.0",
  cure: CURE,
  versions: [
    createPartitionsV3.api,
    createPartitionsV2.api,
    createPartitionsV1.api,
    createPartitionsV0.api,
  ],
};

export const DELETE_RECORDS: VersionTable<
  [topics: deleteRecordsV2.DeleteRecordsRequestTopics[], timeoutMs: number],
  deleteRecordsV2.DeleteRecordsResponse
> = {
  name: "DeleteRecords",
  since: "0.11",
  cure: CURE,
  versions: [deleteRecordsV2.api, deleteRecordsV1.api, deleteRecordsV0.api],
};
