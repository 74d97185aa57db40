/** Topics of the benchmark: made once, read by every contender under a group of its own. */
import { randomBytes } from "node:crypto";
import { createAdmin, createProducer } from "@penstock/kafka";

const CHUNK_BYTES = 512 * 1024;

export interface TopicContent {
  readonly topic: string;
  readonly partitions: number;
  readonly records: number;
  readonly valueBytes: number;
}

export async function fillTopic(bootstrapServers: string, content: TopicContent): Promise<void> {
  const brokers = [bootstrapServers];
  const admin = createAdmin({ bootstrapServers: brokers });
  await admin.createTopic(content.topic, { partitions: content.partitions });
  await admin.close();
  if (content.records === 0) return;
  const producer = await createProducer({ bootstrapServers: brokers });
  const values = Array.from({ length: 64 }, () => letters(content.valueBytes));
  const chunk = Math.max(1, Math.floor(CHUNK_BYTES / (content.valueBytes + 20)));
  let partition = 0;
  for (let sent = 0; sent < content.records; sent += chunk) {
    const count = Math.min(chunk, content.records - sent);
    const target = partition++ % content.partitions;
    const records = Array.from({ length: count }, (_, index) => ({
      value: values[index % values.length] as Buffer,
      partition: target,
    }));
    await producer.send(content.topic, records);
  }
  await producer.close();
}

function letters(length: number): Buffer {
  return Buffer.from(randomBytes(length).toString("base64").slice(0, length), "latin1");
}
