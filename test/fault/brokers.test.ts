import { mapping } from "@penstock/proto";
import {
  countDuplicates,
  type Flow,
  KAFKA_REQUEST,
  ProxiedKafka,
  waitUntil,
} from "@penstock/testkit";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { kafkaSettings, protocolsUnderTest, versionUnderTest } from "../kafka-under-test.ts";
import { last, residentPeakBytes, SETUP_MS, sharedWorld } from "../shared-world.ts";

const MIB = 1024 * 1024;
const HEARTBEATS: readonly number[] = [KAFKA_REQUEST.groupHeartbeat, KAFKA_REQUEST.heartbeat];

const PROTOCOLS = protocolsUnderTest("consumer", "classic");

describe.each(PROTOCOLS)(
  "brokers and the way to them (%s groups)",
  { timeout: SETUP_MS },
  (protocol) => {
    let kafka: ProxiedKafka;
    // Registered before the world's hooks, so that the broker outlives the world.
    beforeAll(async () => {
      kafka = await ProxiedKafka.start({ version: versionUnderTest() });
    }, SETUP_MS);
    afterAll(() => kafka.stop(), SETUP_MS);
    const shared = sharedWorld(async () => ({
      kafka: kafka.direct,
      bootstrapServers: kafka.proxied,
      pollers: 0,
      env: kafkaSettings(protocol),
    }));
    afterEach(() => kafka.heal());

    // F04 → I-1, L-2. Goal: brokers that are away at the start and in service are a reason, not an end; everything heals by itself.
    // Method: refuse every connection while a poller starts and a mapping is created; later for 10 s in the middle of a flow.
    it("F04, I-1, L-2: brokers that are away at the start and in service are waited for, and the mapping says so", async () => {
      kafka.proxy.isRefusing = true;
      const poller = await shared.world.addPoller();
      await shared.flow({ mapping: null, partitions: 2 }, async (flow) => {
        const creating = flow.createMapping({ windowMs: 0 });
        await waitUntil("the reason is shown while it is being created", async () => {
          const { eventSourceMappings } = await shared.world.mappings.listEventSourceMappings({});
          const found = eventSourceMappings.find(({ topics }) => topics[0] === flow.topic);
          return found?.state === mapping.MappingState.CREATING &&
            found.stateTransitionReason !== "USER_INITIATED"
            ? found.stateTransitionReason
            : null;
        });
        kafka.heal();
        await creating;
        await flow.send(100);
        await flow.drain();

        kafka.proxy.isRefusing = true;
        kafka.proxy.resetAll();
        await flow.send(100);
        await waitUntil(
          "the reason is shown while it runs",
          async () => {
            const { lastProcessingResult, state } = await flow.get();
            expect(state).toBe(mapping.MappingState.ENABLED);
            return /^PROBLEM: .*(broker|Kafka|connect)/i.test(lastProcessingResult);
          },
          60_000,
        );
        await last(10_000);
        const refused = kafka.proxy.accepted;
        await last(2000);
        expect(kafka.proxy.accepted - refused).toBeLessThan(60);
        kafka.heal();
        await flow.drain();
        flow.check();
        await waitUntil(
          "the reason is gone",
          async () => (await flow.get()).lastProcessingResult === "OK",
        );
        expect(poller.hasEnded).toBe(false);
      });
    });

    // F01 → I-1, I-2, I-6. Goal: the restart of a broker costs time, and no membership.
    // Method: restart it under load; adoptions before and after are compared.
    it("F01, I-1, I-2: a broker that restarts within the session costs no rebalance and no record", async () => {
      await shared.flow({ partitions: 2, mapping: { windowMs: 0 } }, async (flow) => {
        await flow.send(200);
        await flow.drain();
        const adopted = adoptions(flow);
        const [started] = await Promise.all([restart(kafka), flow.send(400)]);
        await flow.send(400);
        await flow.drain();
        expect(performance.now() - started).toBeLessThan(45_000);
        flow.check();
        expect(adoptions(flow)).toBe(adopted);
        expect(countDuplicates(flow.function.deliveries)).toBe(0);
      });
    });

    // F35 → I-2, I-5, I-6. Goal: a commit without an answer is unknown and made again; a refused one ends the epoch's work.
    // Method: end the connection at each commit's answer for a while; then remove the member behind its back and let it commit.
    it("F35, I-2, I-5, I-6: lost answers of commits are asked again; a refused commit discards its epoch", async () => {
      await shared.flow({ mapping: { windowMs: 0, batchSize: 10 } }, async (flow) => {
        let lost = 0;
        kafka.onAnswer = (request, frame) => {
          if (request !== KAFKA_REQUEST.offsetCommit || lost >= 3) return frame;
          lost++;
          return "reset";
        };
        await flow.send(200);
        await flow.drain();
        expect(lost).toBe(3);
        expect(commits(flow, "unknown")).toBeGreaterThan(0);
        expect(adoptions(flow)).toBe(1);
        expect(countDuplicates(flow.function.deliveries)).toBe(0);

        const held = flow.function.holdAll();
        await flow.send(100);
        await held.reached(1);
        kafka.onAnswer = (request, frame) => (HEARTBEATS.includes(request) ? null : frame);
        const [member] = (await shared.world.admin.describeGroup(flow.mappingId)).members;
        await shared.world.admin.removeMember(flow.mappingId, member?.memberId ?? "");
        held.release();
        await waitUntil("a commit was refused", () => commits(flow, "fenced") > 0);
        kafka.heal();
        await flow.drain();
        flow.check();
        expect(adoptions(flow)).toBeGreaterThan(1);
      });
    });

    // What the way to a broker does to bytes is the same for both protocols.
    if (protocol !== PROTOCOLS[0]) return;

    // F06, F07 → I-1, I-2, L-2. Goal: a broker that accepts and says nothing is left after a bounded time, and found again.
    // Method: SIGSTOP the broker for longer than the session; then swallow every answer on open connections.
    it("F06, I-1, I-2, L-2: a silent broker is waited for and found again", async () => {
      await shared.flow({ partitions: 2, mapping: { windowMs: 0 } }, async (flow) => {
        await flow.send(200);
        await flow.drain();
        kafka.kafka.pause();
        await last(10_000);
        kafka.kafka.resume();
        await flow.send(200);
        await flow.drain();
        kafka.proxy.toClient = { isSilent: true };
        await flow.send(200);
        await last(4000);
        kafka.heal();
        await flow.drain();
        flow.check();
      });
    });

    // F08 → I-1. Goal: a slow way slows records and starves no heartbeat. Method: 100–300 ms and 128 KiB/s on every answer.
    it("F08, I-1, I-6: a slow network costs no membership", async () => {
      await shared.flow({ partitions: 2, mapping: { windowMs: 0 } }, async (flow) => {
        await flow.send(20);
        await flow.drain();
        const adopted = adoptions(flow);
        kafka.proxy.toClient = { latencyMs: 100, jitterMs: 200, bytesPerSecond: 128 * 1024 };
        await flow.send(1000, 500);
        await flow.delivered(1020);
        kafka.heal();
        await flow.drain();
        flow.check();
        expect(adoptions(flow)).toBe(adopted);
      });
    });

    // F09 → I-1, I-3. Goal: connections that die in the middle of anything lose nothing and keep the order.
    // Method: reset all each second; cut each after 28 KiB, which is in the middle of a frame; one byte for each write.
    it("F09, I-1, I-2, I-3: connections that die every second, mid-frame, or trickle byte by byte lose nothing", async () => {
      await shared.flow(
        { partitions: 2, mapping: { windowMs: 0, batchSize: 20 } },
        async (flow) => {
          for (let round = 0; round < 6; round++) {
            const sending = flow.send(100);
            await last(1000);
            kafka.proxy.resetAll();
            await sending;
          }
          await flow.drain();

          const cut = kafka.proxy.cut;
          kafka.proxy.toClient = { cutAfterBytes: 28 * 1024 };
          for (let round = 1; round <= 8; round++) {
            await flow.send(60, 300);
            await flow.delivered(600 + 60 * round);
          }
          expect(kafka.proxy.cut).toBeGreaterThan(cut + 2);
          kafka.heal();
          await flow.drain();

          kafka.proxy.toClient = { bytesPerWrite: 1 };
          kafka.proxy.toServer = { bytesPerWrite: 1 };
          await flow.send(100);
          await flow.drain();
          kafka.heal();
          kafka.proxy.halfCloseAll("toClient");
          await flow.send(100);
          await flow.drain();
          flow.check();
        },
      );
    });

    // F10, F11 → I-1, I-13, I-15. Goal: damaged and hostile answers are never a wrong payload, a dead process or eaten memory.
    // Method: flip a bit in the records of fetch answers, then send frames with negative, huge and senseless contents.
    it("F10, F11, I-1, I-13, I-15: flipped bits and hostile frames are refused, and what follows is right", async () => {
      const [poller] = shared.world.pollers;
      await shared.flow({ mapping: { windowMs: 0 } }, async (flow) => {
        const seen = new Set<string>();
        flow.function.answer = ({ body }) => {
          for (const value of valuesOf(body)) seen.add(value);
          return { status: 200 };
        };
        let harmed = 0;
        kafka.onAnswer = (request, frame) => {
          if (request !== KAFKA_REQUEST.fetch || frame.length < 200 || harmed >= 2) return frame;
          harmed++;
          const flipped = Buffer.from(frame);
          flipped[frame.length - 60] = (flipped[frame.length - 60] as number) ^ 4;
          return flipped;
        };
        await flow.send(50, 300);
        await flow.drain();
        expect(harmed).toBe(2);
        expect((await flow.get()).gaps).toEqual([]);

        const hostile = HOSTILE.map((make) => ({ make }));
        kafka.onAnswer = (request, frame) => {
          if (request !== KAFKA_REQUEST.fetch || frame.length < 200) return frame;
          return hostile.shift()?.make(frame) ?? frame;
        };
        for (let sent = 100; sent <= 250; sent += 50) {
          await flow.send(50, 300);
          await flow.delivered(sent);
        }
        await waitUntil("every hostile frame was sent", async () => {
          if (hostile.length > 0) await flow.send(1, 300);
          return hostile.length === 0;
        });
        kafka.heal();
        await flow.drain();
        flow.check();
        for (const value of seen) expect(value).toMatch(/^\d+\.+$/);
        expect(poller?.hasEnded).toBe(false);
        if (poller) expect(residentPeakBytes(poller)).toBeLessThan(600 * MIB);
      });
    });
  },
);

/** Answers of a broker that is broken, or is none. */
const HOSTILE: readonly ((frame: Buffer) => Buffer)[] = [
  () => int32(-1),
  () => int32(0x7fffffff),
  () => int32(0),
  (frame) => Buffer.concat([frame.subarray(0, 8), Buffer.alloc(frame.length - 8, 0xff)]),
  (frame) => Buffer.concat([frame.subarray(0, 60), Buffer.alloc(frame.length - 60, 0x7f)]),
  () => Buffer.from("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
];

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

async function restart(kafka: ProxiedKafka): Promise<number> {
  const started = performance.now();
  await kafka.kafka.restart();
  return started;
}

function valuesOf(body: Buffer): string[] {
  const { records } = JSON.parse(body.toString()) as {
    records: Record<string, { value: string }[]>;
  };
  return Object.values(records)
    .flat()
    .map(({ value }) => Buffer.from(value, "base64").toString());
}

function adoptions(flow: Flow): number {
  return flow.events().filter(({ event }) => event === "adopted").length;
}

function commits(flow: Flow, result: string): number {
  return flow.events().filter((event) => event.event === "committed" && event.result === result)
    .length;
}
