/**
 * What encoding one record costs, for batches of 100 and 1000 records, beside `JSON.stringify` of the event object.
 *
 *     node bench/parts/encode.ts
 */
import {
  type BatchEncoder,
  createHandleRequestEncoder,
  createLambdaEventEncoder,
  type RecordBatch,
  recordKey,
  recordOffset,
  recordValue,
} from "@penstock/core";
import { measure, type PartResult, printParts } from "./measure.ts";
import { plainBatch } from "./plain-batch.ts";

const BYTES_MAX = 64 * 1024 * 1024;
const TOPIC = "orders";
const bootstrapServers = ["127.0.0.1:9092"];

function encode(encoder: BatchEncoder, batch: RecordBatch): Buffer {
  encoder.begin();
  encoder.partition(TOPIC, 0);
  encoder.appendRange(batch, null, 0, batch.count);
  return encoder.finish();
}

function stringify(batch: RecordBatch): Buffer {
  const records = [];
  for (let row = 0; row < batch.count; row++) {
    records.push({
      topic: TOPIC,
      partition: 0,
      offset: Number(recordOffset(batch, row)),
      timestamp: batch.timestamps[row],
      timestampType: batch.timestampType,
      key: recordKey(batch, row)?.toString("base64"),
      value: recordValue(batch, row)?.toString("base64"),
      headers: [],
    });
  }
  return Buffer.from(
    JSON.stringify({
      eventSource: "SelfManagedKafka",
      bootstrapServers: bootstrapServers.join(","),
      records: { [`${TOPIC}-0`]: records },
    }),
  );
}

const lambda = createLambdaEventEncoder({ bootstrapServers, bytesMax: BYTES_MAX });
const message = createHandleRequestEncoder({ bootstrapServers, bytesMax: BYTES_MAX });
const results: PartResult[] = [];
for (const valueBytes of [100, 1000]) {
  for (const keyBytes of [-1, 16]) {
    for (const count of [1, 100, 1000]) {
      const batch = plainBatch({ count, valueBytes, keyBytes, headers: 0 });
      const title = `${valueBytes} B value, ${keyBytes < 0 ? "no key" : `${keyBytes} B key`}, ${count} a batch`;
      results.push(measure(`lambda event    ${title}`, count, () => encode(lambda, batch)));
      results.push(measure(`handle request  ${title}`, count, () => encode(message, batch)));
      results.push(measure(`JSON.stringify  ${title}`, count, () => stringify(batch)));
    }
  }
}
const withHeaders = plainBatch({ count: 1000, valueBytes: 100, keyBytes: 16, headers: 3 });
results.push(measure("lambda event    100 B, 3 headers", 1000, () => encode(lambda, withHeaders)));
results.push(measure("handle request  100 B, 3 headers", 1000, () => encode(message, withHeaders)));
printParts("encoding, for one record", results);
