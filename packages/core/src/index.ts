/** The pure middle of Penstock: decisions and data, no I/O, no clock, no randomness. */

export * from "./batching/lane-marks.ts";
export * from "./batching/lane-queue.ts";
export * from "./batching/record-appender.ts";
export * from "./batching/window-plan.ts";
export * from "./delivery/commit-frontier.ts";
export * from "./delivery/commit-metadata.ts";
export * from "./delivery/next-step.ts";
export * from "./delivery/retry-delay.ts";
export * from "./delivery/starting-offset.ts";
export * from "./errors/error-table.ts";
export * from "./errors/penstock-error.ts";
export * from "./functions/function-spec.ts";
export * from "./placement/event-poller-board.ts";
export * from "./placement/place-event-pollers.ts";
export * from "./ports/clock.ts";
export * from "./ports/invoker.ts";
export * from "./ports/record-source.ts";
export * from "./records/record-batch.ts";
