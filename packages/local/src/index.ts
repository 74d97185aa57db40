/** Real servers on this machine without containers: Kafka, Postgres, and the processes of the quick start. */
export * from "./kafka/kafka-jars.ts";
export type { LocalKafkaSecurity, PemIdentity } from "./kafka/secured-listeners.ts";
export * from "./kafka/start-kafka.ts";
export * from "./postgres/create-database.ts";
export * from "./postgres/start-postgres.ts";
export * from "./process/free-port.ts";
export * from "./process/pid-file.ts";
export * from "./process/process-part.ts";
export * from "./process/process-table.ts";
export * from "./process/server-process.ts";
export * from "./process/supervisor.ts";
export * from "./process/watchdog.ts";
export * from "./repository-root.ts";
export * from "./test-stack/test-stack.ts";
export * from "./toolchain/ensure-go.ts";
export * from "./toolchain/ensure-python.ts";
export * from "./toolchain/made-folder.ts";
export * from "./toolchain/run-tool.ts";
