/** The invoker service: calls functions for pollers. */
export * from "./invoke-stream/stream-server.ts";
export * from "./invoker-service.ts";
export * from "./invoker-settings.ts";
