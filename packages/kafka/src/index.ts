/** Everything that speaks Kafka: the record source of the data path, the administrator, a producer. */
export type { CommittedOffset } from "./admin/group-admin.ts";
export type { GroupDescription, GroupMemberDescription } from "./admin/group-description.ts";
export * from "./admin/kafka-admin.ts";
export * from "./admin/kafka-producer.ts";
export { NEWEST_RECORDS_MAX, type NewestRecord } from "./admin/newest-records.ts";
export {
  type AclRule,
  createSecurityAdmin,
  type KafkaSecurityAdmin,
} from "./admin/security-admin.ts";
export type { NewTopic, OffsetSpec } from "./admin/topic-admin.ts";
export type { KafkaLog } from "./cluster/log.ts";
export type { ListedOffset } from "./cluster/log-ends.ts";
export type { AddressGuard } from "./connection/dial.ts";
export {
  createKafkajsRecordSourceDriver,
  KAFKAJS_CAPABILITIES,
} from "./kafkajs-source/kafkajs-record-source-driver.ts";
export * from "./source/record-source-driver.ts";
