/** The poller service: event pollers that read Kafka and send batches to functions. */
export * from "./invoker-client/index.ts";
export { type PollerServiceOptions, startPollerService } from "./poller-service.ts";
export { type PollerSettings, parsePollerSettings } from "./poller-settings.ts";
