/**
 * A function over gRPC: implements penstock.function.v1.KafkaFunctionService. OK means that the batch is done; with any
 * other status the same records come again.
 *
 *     PORT=7491 npx node grpc-function.ts
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { fn } from "@penstock/proto";
import { BatchSummary } from "./batch-summary.ts";

type Handle = ServerUnaryCall<fn.HandleRequest, fn.HandleResponse>;

function handle(call: Handle, answer: sendUnaryData<fn.HandleResponse>): void {
  try {
    const summary = new BatchSummary(String(call.metadata.get("penstock-mapping-id")));
    for (const { topic, partition, records } of call.request.partitions) {
      for (const record of records) {
        summary.handle(topic, partition, record.offset, () => work(record));
      }
    }
    process.stdout.write(`${summary}\n`);
    answer(null, create(fn.HandleResponseSchema));
  } catch (error) {
    answer({ code: status.INTERNAL, details: String(error) });
  }
}

/** What the function is there for. This one only reads the value. */
function work(record: fn.Record): void {
  new TextDecoder().decode(record.value);
}

const server = new Server();
server.addService(
  {
    handle: {
      path: "/penstock.function.v1.KafkaFunctionService/Handle",
      requestStream: false,
      responseStream: false,
      requestDeserialize: (bytes: Buffer) => fromBinary(fn.HandleRequestSchema, bytes),
      requestSerialize: (message: fn.HandleRequest) =>
        Buffer.from(toBinary(fn.HandleRequestSchema, message)),
      responseDeserialize: (bytes: Buffer) => fromBinary(fn.HandleResponseSchema, bytes),
      responseSerialize: (message: fn.HandleResponse) =>
        Buffer.from(toBinary(fn.HandleResponseSchema, message)),
    },
  },
  { handle },
);
const address = `${process.env.HOST ?? "127.0.0.1"}:${process.env.PORT ?? 7491}`;
server.bindAsync(address, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
  process.stdout.write(`listening on ${address}\n`);
});
process.once("SIGTERM", () => server.tryShutdown(() => process.exit(0)));
