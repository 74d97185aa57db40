/** Consumer groups from outside. Those of the classic protocol, and those of KIP-848, have a description of their own each. */
import {
  consumerGroupDescribeV0,
  deleteGroupsV0,
  deleteGroupsV1,
  deleteGroupsV2,
  describeGroupsV0,
  describeGroupsV1,
  describeGroupsV2,
  describeGroupsV3,
  describeGroupsV4,
  describeGroupsV5,
} from "@platformatic/kafka";
import type { VersionTable } from "./ask.ts";

export const CONSUMER_GROUP_DESCRIBE: VersionTable<
  [groups: string[], includesOperations: boolean],
  consumerGroupDescribeV0.ConsumerGroupDescribeResponse
> = {
  name: "ConsumerGroupDescribe",
  since: "4.0",
  versions: [consumerGroupDescribeV0.api],
};

/** A group that doesn't exist is described as `Dead`. Instance ids of static members come with version 4 (Kafka 2.4). */
export const DESCRIBE_GROUPS: VersionTable<
  [groups: string[], includesOperations: boolean],
  describeGroupsV5.DescribeGroupsResponse
> = {
  name: "DescribeGroups",
  since: "0.10.1",
  versions: [
    describeGroupsV5.api,
    describeGroupsV4.api,
    describeGroupsV3.api,
    describeGroupsV2.api,
    describeGroupsV1.api,
    describeGroupsV0.api,
  ],
};

export const DELETE_GROUPS: VersionTable<[groups: string[]], deleteGroupsV2.DeleteGroupsResponse> =
  {
    name: "DeleteGroups",
    since: "1.1",
    versions: [deleteGroupsV2.api, deleteGroupsV1.api, deleteGroupsV0.api],
  };
