import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { PenstockError } from "@penstock/core";
import { createAdmin, type KafkaAdmin, type KafkaAdminOptions } from "@penstock/kafka";
import { afterEach, describe, expect, inject, it } from "vitest";

describe("connections to a cluster", () => {
  const kafka = inject("KAFKA");
  const ends: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  function open(options: Partial<KafkaAdminOptions>): KafkaAdmin {
    const admin = createAdmin({ bootstrapServers: [kafka], ...options });
    ends.push(() => admin.close());
    return admin;
  }

  /** A server that answers whatever it is sent with the given bytes; `null` never answers. */
  async function hostile(answer: ((correlationId: Buffer) => Buffer) | null): Promise<string> {
    const sockets = new Set<Socket>();
    const server: Server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("data", (request) => {
        if (answer) socket.write(answer(request.subarray(8, 12)));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    ends.push(async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const codeOf = (promise: Promise<unknown>) =>
    promise.then(
      () => "none",
      (error) => (error instanceof PenstockError ? error.code : String(error)),
    );

  function int32(...values: number[]): Buffer {
    const buffer = Buffer.alloc(4 * values.length);
    values.forEach((value, index) => {
      buffer.writeInt32BE(value, 4 * index);
    });
    return buffer;
  }

  it.each<[string, (correlationId: Buffer) => Buffer]>([
    ["a negative length", (id) => Buffer.concat([int32(-5), id, Buffer.alloc(64)])],
    ["length zero", (id) => Buffer.concat([int32(0), id, Buffer.alloc(64)])],
    ["two gigabytes", (id) => Buffer.concat([int32(0x7fffffff), id, Buffer.alloc(1 << 16)])],
    ["another request's answer", () => Buffer.concat([int32(8, 123_456_789), Buffer.alloc(4)])],
    [
      "an array of four billion",
      (id) =>
        Buffer.concat([int32(20), id, Buffer.from("0000ffffffffff0f", "hex"), Buffer.alloc(8)]),
    ],
    ["nothing but a header", (id) => Buffer.concat([int32(4), id])],
    ["text", () => Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")],
    ["a TLS alert", () => Buffer.from("15030300020228", "hex")],
  ])("F11: a broker that answers with %s is refused; memory stays flat", async (_what, answer) => {
    const before = process.memoryUsage().rss;
    const admin = open({ bootstrapServers: [await hostile(answer)], requestTimeoutMs: 1_000 });
    expect(await codeOf(admin.describeTopic("t"))).toMatch(/^kafka/);
    expect(process.memoryUsage().rss - before).toBeLessThan(50 << 20);
  });

  it("F06: a broker that accepts and never answers ends in a request timeout", async () => {
    const admin = open({ bootstrapServers: [await hostile(null)], requestTimeoutMs: 300 });
    expect(await codeOf(admin.describeTopic("t"))).toBe("kafkaUnavailable");
  });

  it("F04: dead bootstrap servers are passed over", async () => {
    const silent = await hostile(null);
    const admin = open({ bootstrapServers: ["127.0.0.1:1", silent, kafka] });
    const startedAtMs = performance.now();
    expect(await codeOf(admin.describeTopic("no-such-topic"))).toBe("kafkaTopicMissing");
    expect(performance.now() - startedAtMs).toBeLessThan(3_000);
  });

  it("S-07: the guard judges bootstrap and advertised addresses, and what it returns is dialled", async () => {
    const asked: string[] = [];
    const port = Number(kafka.split(":")[1]);
    const admin = open({
      bootstrapServers: [`kafka.invalid:${port}`],
      addressGuard: async (host) => {
        asked.push(host);
        return { address: "127.0.0.1", family: 4 };
      },
    });
    await admin.createTopic("guarded", { partitions: 1 });
    await admin.listOffsets("guarded", "latest");
    expect(new Set(asked)).toEqual(new Set(["kafka.invalid", "127.0.0.1"]));
  });

  it("S-07: a refused address is not dialled, and says so", async () => {
    const admin = open({
      addressGuard: async () => {
        throw new PenstockError("addressDenied", "The address is not allowed.");
      },
    });
    expect(await codeOf(admin.describeTopic("t"))).toBe("addressDenied");
  });

  it("many callers share one connection and one request", async () => {
    let dials = 0;
    const admin = open({
      addressGuard: async () => {
        dials++;
        return { address: "127.0.0.1", family: 4 };
      },
    });
    await Promise.all(Array.from({ length: 50 }, () => admin.describeGroup("nobody")));
    expect(dials).toBeLessThanOrEqual(2);
  });
});
