import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * `unit`: beside the code, no process and no socket. The rest lives under `test/`, on real servers: `servers` and `fault` two files at a time,
 * since most of their time is waiting; `alone` one at a time, because they load the machine or measure it.
 */
const ALONE = [
  "test/contract/kafka-fetch/hostile.test.ts",
  "test/contract/local/quick-start.test.ts",
  "test/e2e/records-flow.test.ts",
  "test/fault/chaos.test.ts",
  "test/fault/memory.test.ts",
];

/** Long files first, so that no worker is left with one at the end. Of the others, the larger first. */
const LONG = [
  "packages/kafka/src/fetch/fetcher.test.ts",
  "packages/kafka/src/decode/decode-record-set.property.test.ts",
  "services/poller/src/simulation/event-poller.simulation.test.ts",
  "test/brokers/kafka-4.3-native.test.ts",
  "test/brokers/kafka-3.9.test.ts",
  "test/contract/kafka-security/healing.test.ts",
  "test/contract/model/mapping-model.test.ts",
  "test/brokers/kafka-4.3-kafkajs.test.ts",
  "test/contract/fleet/shares.test.ts",
  "test/contract/local/local-kafka.test.ts",
  "test/e2e/start-position.test.ts",
  "test/contract/fleet/lifecycle.test.ts",
  "test/contract/egress/invoker-service.test.ts",
  "test/contract/kafka-fetch/log-edges.test.ts",
  "test/contract/postgres/database-away.test.ts",
  "test/contract/egress/invoker-process.test.ts",
  "test/contract/postgres/database.test.ts",
];

/** They need programs that are still being built beside the first tests (test/tools.ts). */
const LAST = "test/contract/clients/";

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      if (moduleId.includes(LAST)) return LONG.length + 1;
      const index = LONG.findIndex((path) => moduleId.endsWith(path));
      return index < 0 ? LONG.length : index;
    };
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => place(a) - place(b));
  }
}

const onServers = {
  setupFiles: ["test/property-seed.ts"],
  globalSetup: ["test/global-setup.ts"],
  testTimeout: 120_000,
  hookTimeout: 120_000,
};

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          setupFiles: ["test/property-seed.ts"],
          include: ["packages/*/src/**/*.test.ts", "services/*/src/**/*.test.ts"],
          testTimeout: 60_000,
          // They are pure and share nothing: modules are loaded once for each worker, which halves the time.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          ...onServers,
          name: "servers",
          include: ["test/**/*.test.ts"],
          exclude: ["test/fault/**", ...ALONE],
          maxWorkers: 2,
          // Starting and loading anew for each file costs more than half of the files take. Each file ends what it starts.
          isolate: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          ...onServers,
          name: "fault",
          include: ["test/fault/**/*.test.ts"],
          exclude: ALONE,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          ...onServers,
          name: "alone",
          include: ALONE,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
