/** Answers to Metadata, as brokers send them: after the correlation id. */
const LEADER_NOT_AVAILABLE = 5;

export interface TestTopic {
  readonly errorCode: number;
  readonly topic: string;
  readonly topicId: string;
  /** By partition; -1: none. */
  readonly leaders: readonly number[];
}

const int8 = (value: number) => Buffer.of(value);
const int16 = (value: number) => Buffer.from([(value >> 8) & 255, value & 255]);
const int32 = (value: number) => Buffer.concat([int16(value >> 16), int16(value)]);
const string = (text: string) => Buffer.concat([int16(text.length), Buffer.from(text)]);
const compact = (text: string) => Buffer.concat([int8(text.length + 1), Buffer.from(text)]);
const NULL_STRING = int16(-1);
const NONE = int8(0);
const errorOf = (leader: number) => int16(leader < 0 ? LEADER_NOT_AVAILABLE : 0);

/** Versions 11 and 12. */
export function encodeMetadata(topics: readonly TestTopic[], host = "b"): Buffer {
  const list = (nodes: readonly number[]) => [int8(nodes.length + 1), ...nodes.map(int32)];
  const partitions = (leaders: readonly number[]) =>
    leaders.flatMap((leader, partition) => [
      ...[errorOf(leader), int32(partition), int32(leader), int32(7)],
      ...[...list([1, 2]), ...list([1]), ...list([2]), NONE],
    ]);
  const rows = topics.flatMap(({ errorCode, topic, topicId, leaders }) => [
    ...[int16(errorCode), compact(topic), Buffer.from(topicId.replaceAll("-", ""), "hex")],
    ...[NONE, int8(leaders.length + 1), ...partitions(leaders), int32(-1), NONE],
  ]);
  return Buffer.concat([
    ...[NONE, int32(0), int8(2), int32(1), compact(host), int32(9092), NONE, NONE],
    ...[compact("cluster"), int32(1), int8(topics.length + 1), ...rows, NONE],
  ]);
}

/** Versions 0 to 6. */
export function encodeOlderMetadata(version: number, topics: readonly TestTopic[]): Buffer {
  const from = (first: number, ...bytes: Buffer[]) => (version >= first ? bytes : []);
  const list = (nodes: readonly number[]) => [int32(nodes.length), ...nodes.map(int32)];
  const partitions = (leaders: readonly number[]) =>
    leaders.flatMap((leader, partition) => [
      ...[errorOf(leader), int32(partition), int32(leader), ...list([1, 2]), ...list([1])],
      ...from(5, ...list([2])),
    ]);
  const rows = topics.flatMap(({ errorCode, topic, leaders }) => [
    ...[int16(errorCode), string(topic), ...from(1, NONE), int32(leaders.length)],
    ...partitions(leaders),
  ]);
  return Buffer.concat([
    ...from(3, int32(0)),
    ...[int32(1), int32(1), string("b"), int32(9092), ...from(1, NULL_STRING)],
    ...[...from(2, string("cluster")), ...from(1, int32(1))],
    ...[int32(topics.length), ...rows],
  ]);
}
