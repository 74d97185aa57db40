/**
 * F09, F11: what a broker, or somebody in its place, can do on the wire. A plain TCP server plays it; the fetcher and the library's
 * connection are the real ones. The process lives, memory stays flat, the connection ends, and the fetcher comes back.
 */
import { createServer, type Server, type Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Cluster } from "../../../packages/kafka/src/cluster/cluster.ts";
import { dial } from "../../../packages/kafka/src/connection/dial.ts";
import { hangUp } from "../../../packages/kafka/src/connection/hang-up.ts";
import {
  encodeRecordBatch,
  record,
} from "../../../packages/kafka/src/decode/testing/encode-record-batch.ts";
import { FetchProbe } from "../../../packages/kafka/src/fetch/testing/fetch-probe.ts";
import { writeAnswer } from "../../../packages/kafka/src/fetch/testing/fetch-wire.ts";

const TOPIC_ID = "00112233-4455-6677-8899-aabbccddeeff";
const KEY = { topicId: TOPIC_ID, partition: 0 };
const FRAME_BYTES_MAX = 1 << 20;
const API_VERSIONS = 18;

/** Bytes of buffers that something still refers to: what is merely not collected yet says nothing about a leak. */
function retainedBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  collect();
  collect();
  return process.memoryUsage().arrayBuffers;
}

type Play = (socket: Socket, correlationId: number) => void;

let server: Server;
let port: number;
let play: Play;
let fetches: number;
const sockets = new Set<Socket>();

beforeEach(async () => {
  fetches = 0;
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    let bytes = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      while (bytes.length >= 12 && bytes.length >= 4 + bytes.readInt32BE(0)) {
        const correlationId = bytes.readInt32BE(8);
        if (bytes.readInt16BE(4) === API_VERSIONS) socket.write(versions(correlationId));
        else {
          fetches++;
          play(socket, correlationId);
        }
        bytes = bytes.subarray(4 + bytes.readInt32BE(0));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  port = typeof address === "object" && address ? address.port : 0;
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

/** One broker, one topic: as much of a cluster as a fetcher needs. */
function cluster(): Cluster {
  const owned = new Map<object, ReturnType<typeof dial>>();
  const options = {
    clientId: "test",
    connectTimeoutMs: 1000,
    requestTimeoutMs: 5000,
    frameBytesMax: FRAME_BYTES_MAX,
    inflightMax: 5,
  };
  const partitions = [{ partition: 0, leader: 1, leaderEpoch: 0, inSync: [1] }];
  return {
    metadata: async (topic) => ({ topic, topicId: TOPIC_ID, partitions, brokers: [] }),
    lookAt: () => Promise.reject(new Error("not asked for")),
    invalidate: () => {},
    coordinator: () => Promise.reject(new Error("not asked for")),
    invalidateCoordinator: () => {},
    brokerConnection: async (_node, _purpose, owner = {}) => {
      const dialled = dial({ host: "127.0.0.1", port }, options);
      owned.set(owner, dialled);
      return (await dialled).connection;
    },
    closeOwner: (owner) => {
      owned.get(owner)?.then(
        ({ connection }) => hangUp(connection),
        () => {},
      );
      owned.delete(owner);
    },
    apiVersion: (_connection, _key, versionMax) => versionMax,
  };
}

function frame(correlationId: number, body: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeInt32BE(5 + body.length, 0);
  head.writeInt32BE(correlationId, 4);
  return Buffer.concat([head, body]);
}

function versions(correlationId: number): Buffer {
  // No error; one API: Fetch 4-17; throttle 0; no tags. The header of this answer has no tags.
  const body = Buffer.from(
    "0000" + "02" + "0001" + "0004" + "0011" + "00" + "00000000" + "00",
    "hex",
  );
  const head = Buffer.alloc(8);
  head.writeInt32BE(4 + body.length, 0);
  head.writeInt32BE(correlationId, 4);
  return Buffer.concat([head, body]);
}

function sound(correlationId: number): Buffer {
  const records = encodeRecordBatch({ baseOffset: 0n, records: [record(0, "sound")] });
  const partitions = [{ topicId: TOPIC_ID, partition: 0, highWatermark: 1n, records }];
  return frame(correlationId, writeAnswer({ partitions }));
}

const raw =
  (hex: string): Play =>
  (socket, id) =>
    socket.write(Buffer.from(hex.replace("<id>", id.toString(16).padStart(8, "0")), "hex"));

const HOSTILE: Record<string, Play> = {
  "a negative frame length": raw("ffffffff<id>00"),
  "a zero frame length": raw("00000000<id>00"),
  "a frame of one byte": raw("00000001ff"),
  "a huge frame length": raw("7fffffff<id>00"),
  "somebody else's correlation id": raw("0000000500bada5500"),
  "an answer cut after its header": raw("00000005<id>00"),
  "endless topics": raw("00000014<id>00" + "00000000" + "0000" + "00000000" + "ffffffff0f"),
  "a varint without end": raw("00000015<id>00" + "00000000" + "0000" + "00000000" + "ffffffffffff"),
  "an end in the middle of a frame": (socket, id) => {
    const bytes = sound(id);
    socket.end(bytes.subarray(0, bytes.length - 5));
  },
  "a reset": (socket) => socket.resetAndDestroy(),
  "bytes of another protocol": (socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"),
  "a flood without an end of its frame": (socket, id) => {
    const head = frame(id, Buffer.alloc(0));
    head.writeInt32BE(FRAME_BYTES_MAX + 1, 0);
    socket.write(Buffer.concat([head, Buffer.alloc(1 << 16)]));
  },
};

describe("a fetcher and a hostile broker", () => {
  it.each(Object.entries(HOSTILE))(
    "F09, F11: survives %s, and comes back",
    async (_name, hostile) => {
      const probe = new FetchProbe(cluster(), "orders", { maxWaitMs: 200, answerGraceMs: 800 });
      play = (socket, id) => {
        if (fetches <= 2) hostile(socket, id);
        else if (fetches === 3) socket.write(sound(id));
      };
      probe.set(KEY, 0n);
      await probe.until("the record", () => probe.count() === 1);
      expect(probe.values(KEY)).toEqual(["sound"]);
      expect(fetches).toBeGreaterThanOrEqual(3);
      expect(probe.fetcher.counters.failures).toBeGreaterThanOrEqual(2);
      await probe.close();
    },
  );

  it("F09: takes answers byte by byte", async () => {
    const probe = new FetchProbe(cluster(), "orders", { maxWaitMs: 200 });
    play = async (socket, id) => {
      if (fetches > 1) return;
      socket.setNoDelay(true);
      for (const byte of sound(id))
        await new Promise<unknown>((resolve) => socket.write(Buffer.from([byte]), resolve));
    };
    probe.set(KEY, 0n);
    await probe.until("the record", () => probe.count() === 1);
    await probe.close();
  });

  it("F11: memory stays flat over many hostile answers", async () => {
    const probe = new FetchProbe(cluster(), "orders", { maxWaitMs: 200 });
    // Claims the largest frame that is allowed, sends most of it, and hangs up.
    play = (socket, id) => {
      const head = frame(id, Buffer.alloc(0));
      head.writeInt32BE(FRAME_BYTES_MAX, 0);
      socket.end(Buffer.concat([head, Buffer.alloc(FRAME_BYTES_MAX - 100)]));
    };
    const before = retainedBytes();
    probe.set(KEY, 0n);
    const retry = setInterval(() => probe.fetcher.wake(), 5);
    await probe.until("forty failures", () => probe.fetcher.counters.failures >= 40);
    clearInterval(retry);
    // The fetcher is still alive: nothing of forty answers may hang on it, save the one in flight at both ends.
    const growth = retainedBytes() - before;
    await probe.close();
    expect(growth).toBeLessThan(6 * FRAME_BYTES_MAX);
  });
});
