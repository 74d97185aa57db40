/** The three services in one process. */
export * from "./standalone-service.ts";
