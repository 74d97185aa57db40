/** What tests stand on: a world of real processes, histories of what happened, and checkers of the promises. */
export * from "./checkers/check-run.ts";
export * from "./checkers/commit-after-settle.ts";
export * from "./checkers/duplicates-bounded.ts";
export * from "./checkers/no-commit-by-non-owner.ts";
export * from "./checkers/nothing-lost.ts";
export * from "./checkers/one-call-per-lane.ts";
export * from "./checkers/order-per-partition.ts";
export * from "./checkers/violation.ts";
export * from "./history/delivery.ts";
export * from "./history/poller-event.ts";
export * from "./wait-until.ts";
export * from "./world/service-process.ts";
export * from "./world/test-function.ts";
export * from "./world/topic-writer.ts";
export * from "./world/world.ts";
