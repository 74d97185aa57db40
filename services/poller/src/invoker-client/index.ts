/** Calls through the fleet's invokers. */
export * from "./invoke-stream-client.ts";
export * from "./invoker-pool.ts";
export type { KeepAlive } from "./stream-session.ts";
