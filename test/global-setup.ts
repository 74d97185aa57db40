/**
 * Real servers for every test under `test/`: one Kafka and one Postgres, started before the first file and
 * stopped after the last. A test asks for their addresses:
 *
 *     const kafka = inject("KAFKA");        // "127.0.0.1:<port>", bootstrap servers
 *     const postgres = inject("POSTGRES");  // "postgres://…", a server to make databases on:
 *     const url = await createTestDatabase(postgres);
 */
import { startTestStack } from "@penstock/local";
import { keepDatabases } from "@penstock/testkit";
import type { TestProject } from "vitest/node";
import { versionUnderTest } from "./kafka-under-test.ts";

declare module "vitest" {
  export interface ProvidedContext {
    KAFKA: string;
    POSTGRES: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stack = await startTestStack({ version: versionUnderTest() });
  project.provide("KAFKA", stack.kafka.bootstrapServers);
  project.provide("POSTGRES", stack.postgres.url);
  return async () => {
    await keepDatabases(stack.postgres.url);
    await stack.stop();
  };
}
