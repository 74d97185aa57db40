import type { AddressInfo } from "node:net";
import { createServer, type Server, type Socket } from "node:net";
import { waitUntil } from "@penstock/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { residentPeakBytes, SETUP_MS, sharedWorld } from "../shared-world.ts";

const MIB = 1024 * 1024;

// A collector that accepts and never answers.
const sockets = new Set<Socket>();
let collector: Server;
beforeAll(async () => {
  collector = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.resume();
  });
  await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
});
const shared = sharedWorld(async () => ({
  env: {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
    OTEL_METRIC_EXPORT_INTERVAL: "500",
    OTEL_METRIC_EXPORT_TIMEOUT: "400",
    PENSTOCK_LOG_LEVEL: "debug",
    PENSTOCK_LOG_BUFFER_BYTES_MAX: "65536",
  },
}));
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => collector.close(resolve));
});

// F87, F88 → I-1, I-15, L-3. Goal: who watches the services can't harm the records.
// Method: a collector that never answers, and logs of poller and invoker that nobody reads, while records flow, fail, and are too large.
it(
  "F87, F88, I-1, I-15, L-3: a silent collector and an unread log cost no record, no memory and no clean end",
  async () => {
    const [poller] = shared.world.pollers;
    const [invoker] = shared.world.invokers;
    if (!poller || !invoker) throw new Error("a world without processes");
    poller.stallLogs();
    invoker.stallLogs();
    // Each record that is too large is a warning in the log.
    const options = { payloadBytesMax: 1024, mapping: { batchSize: 5, windowMs: 0 } };
    await shared.flow(options, async (flow) => {
      let calls = 0;
      flow.function.answer = () => ({ status: ++calls % 50 === 0 ? 500 : 200 });
      await flow.send(300);
      await flow.send(2000, 1500);
      await flow.send(300);
      await flow.drain();
      const large = new Set(Array.from({ length: 2000 }, (_, i) => 300 + i));
      flow.check({ gaps: new Map([[`${flow.topic}-0`, large]]) });
      await waitUntil("the collector was called", () => sockets.size > 0);
      const metrics = await (await fetch(`http://${poller.ready.http}/metrics`)).text();
      const dropped = /^penstock_log_dropped_lines_total\S* (\d+)/m.exec(metrics)?.[1];
      expect(Number(dropped)).toBeGreaterThan(0);
      expect(residentPeakBytes(poller)).toBeLessThan(500 * MIB);
    });
    expect(await Promise.all([poller.stop(), invoker.stop()])).toEqual([0, 0]);
  },
  SETUP_MS,
);
