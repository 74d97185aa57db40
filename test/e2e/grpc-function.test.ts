import { createServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { fn } from "@penstock/proto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { SETUP_MS, sharedWorld } from "../shared-world.ts";

const received: fn.Record[] = [];
const answers: Code[] = [];
const sessions = new Set<ServerHttp2Session>();
let server: Http2Server;
let address = "";

beforeAll(async () => {
  server = createServer(
    connectNodeAdapter({
      routes: (router) =>
        router.service(fn.KafkaFunctionService, {
          handle({ partitions }) {
            const code = answers.shift();
            if (code !== undefined) throw new ConnectError("as the test wants", code);
            for (const { records } of partitions) received.push(...records);
            return {};
          },
        }),
    }),
  );
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
const shared = sharedWorld();
afterAll(async () => {
  for (const session of sessions) session.destroy();
  await new Promise((resolve) => server.close(resolve));
});

// F90 → I-13, I-3. Goal: a gRPC function gets the bytes that Kafka has, in order, after throttling and failure.
// Method: a real gRPC server that answers RESOURCE_EXHAUSTED, UNAVAILABLE and INTERNAL first; records of odd bytes among ordinary ones.
it(
  "F45, F90, I-3, I-13: a gRPC function gets exact bytes, in order, and is called again after errors",
  async () => {
    answers.push(Code.ResourceExhausted, Code.Unavailable, Code.Internal);
    await shared.flow({ grpcAddress: address, mapping: { windowMs: 20 } }, async (flow) => {
      const odd = Buffer.from([0, 0xff, 0xc0, 0x80, 27]);
      await flow.sendMessages([
        { key: odd, value: odd, headers: { h: ["1", odd], "": "" } },
        { key: null, value: null },
        { key: "", value: "" },
      ]);
      await flow.send(500);
      await flow.drain();
      expect(received.map(({ offset }) => Number(offset))).toEqual(
        Array.from({ length: 503 }, (_, i) => i),
      );
      const [first, second, third] = received;
      expect(first?.key && Buffer.from(first.key)).toEqual(odd);
      expect(first?.value && Buffer.from(first.value)).toEqual(odd);
      expect(first?.headers.map(({ key }) => key)).toEqual(["h", "h", ""]);
      expect(first?.headers.map(({ value }) => Buffer.from(value ?? []))).toEqual([
        Buffer.from("1"),
        odd,
        Buffer.alloc(0),
      ]);
      expect([second?.key, second?.value]).toEqual([undefined, undefined]);
      expect([third?.key?.length, third?.value?.length]).toEqual([0, 0]);
    });
  },
  SETUP_MS,
);
