/**
 * A service as a process, for tests of its life. What it does comes in TEST_BEHAVIOUR; it answers on standard output as every service
 * does.
 */
import { runService, startRpcServer } from "@penstock/runtime";

const behaviour = process.env.TEST_BEHAVIOUR ?? "";
const never = new Promise<never>(() => {});

runService(
  async ({ log, signal }) => {
    if (behaviour === "fails to start") throw new Error("no database");
    if (behaviour === "hangs while starting") {
      log.info("starting");
      await new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    }
    const server = await startRpcServer({
      host: "127.0.0.1",
      port: 0,
      log,
      services: [],
      routes: () => {},
    });
    // A handle that a service forgot: it must not keep the process.
    setInterval(() => {}, 1000);
    log.info("ready", { grpc: `127.0.0.1:${server.port}` });
    if (behaviour === "rejects unhandled") setTimeout(() => void Promise.reject(new Error("bug")));
    if (behaviour === "throws") {
      setTimeout(() => {
        throw new Error("bug");
      });
    }
    if (behaviour === "logs without end") {
      const line = "x".repeat(1000);
      const flood = (): void => {
        for (let count = 0; count < 200; count++) log.info(line);
        process.send?.("turn");
        setImmediate(flood);
      };
      flood();
    }
    return {
      grpc: `127.0.0.1:${server.port}`,
      http: "",
      stop: () => (behaviour === "hangs while stopping" ? never : server.stop()),
    };
  },
  { service: "test" },
);
