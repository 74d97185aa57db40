/** The pure middle of Penstock: decisions and data, no I/O, no clock, no randomness. */
export * from "./errors/error-table.ts";
export * from "./errors/penstock-error.ts";
export * from "./functions/function-spec.ts";
export * from "./ports/clock.ts";
export * from "./ports/invoker.ts";
export * from "./ports/record-source.ts";
export * from "./records/record-batch.ts";
