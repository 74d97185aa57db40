/**
 * `npm run test:brokers`: `contract` are the rows of test/brokers, each file on brokers of its own; `service` is the whole service under
 * faults (test/fault), on the version and protocol that TEST_KAFKA_VERSION and TEST_GROUP_PROTOCOL name.
 */
import { join } from "node:path";
import { defineConfig } from "vitest/config";

const root = join(import.meta.dirname, "..", "..");
const onServers = { testTimeout: 240_000, hookTimeout: 240_000, maxWorkers: 2 };

export default defineConfig({
  root,
  test: {
    projects: [
      {
        root,
        test: {
          ...onServers,
          name: "contract",
          include: ["test/brokers/**/*.{test,brokers}.ts"],
        },
      },
      {
        root,
        test: {
          ...onServers,
          name: "service",
          setupFiles: ["test/property-seed.ts"],
          globalSetup: ["test/global-setup.ts"],
          include: ["test/fault/**/*.test.ts"],
          // One seed of chaos is `npm run soak -- --protocol`; memory and observers don't depend on brokers.
          exclude: ["test/fault/{chaos,memory,observers,control-plane,functions}.test.ts"],
        },
      },
    ],
  },
});
