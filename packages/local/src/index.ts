/** Real servers on this machine without containers: Kafka, Postgres, and the processes of the quick start. */
export * from "./kafka/kafka-jars.ts";
export * from "./kafka/start-kafka.ts";
export * from "./postgres/create-database.ts";
export * from "./postgres/start-postgres.ts";
export * from "./process/free-port.ts";
export * from "./process/server-process.ts";
export * from "./test-stack/test-stack.ts";
