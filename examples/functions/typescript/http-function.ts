/**
 * A function over HTTP. It receives batches of Kafka records as the JSON event that AWS Lambda defines
 * (https://docs.aws.amazon.com/lambda/latest/dg/with-kafka.html) and answers 200 when it is done with them. With any
 * other answer the same records come again.
 *
 *     PORT=7490 npx node http-function.ts
 */
import { createServer, type IncomingMessage } from "node:http";
import { BatchSummary } from "./batch-summary.ts";

interface KafkaEvent {
  /** Records by "topic-partition"; within a partition they ascend by offset. */
  records: Record<string, KafkaRecord[]>;
}

interface KafkaRecord {
  topic: string;
  partition: number;
  offset: number;
  /** Base64; absent when null. */
  key?: string;
  value?: string;
}

const BODY_BYTES_MAX = 8 * 1024 * 1024;

const server = createServer(async (request, response) => {
  try {
    const event = JSON.parse(await bodyOf(request)) as KafkaEvent;
    const summary = new BatchSummary(String(request.headers["penstock-mapping-id"]));
    for (const record of Object.values(event.records).flat()) {
      summary.handle(record.topic, record.partition, BigInt(record.offset), () => work(record));
    }
    process.stdout.write(`${summary}\n`);
    response.writeHead(200).end();
  } catch (error) {
    process.stderr.write(`${error}\n`);
    response.writeHead(500).end();
  }
});

/** What the function is there for. This one only reads the value. */
function work(record: KafkaRecord): void {
  Buffer.from(record.value ?? "", "base64").toString("utf8");
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new Error(`body over ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

const host = process.env.HOST ?? "127.0.0.1";
const port = Number(process.env.PORT ?? 7490);
// Idle connections are the caller's to close: closing one that a batch is just being sent on would repeat the batch.
server.keepAliveTimeout = 0;
server.listen(port, host, () => process.stdout.write(`listening on http://${host}:${port}\n`));
process.once("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
