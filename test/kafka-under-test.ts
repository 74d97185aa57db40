/**
 * On which Kafka, and how, the whole service is tested. `npm test`: the newest version; the groups that files ask for. `npm run test:brokers`
 * says otherwise (test/brokers/run/service-runs.ts).
 */
import { KAFKA_VERSION_DEFAULT, KAFKA_VERSIONS, type KafkaVersion } from "@penstock/local";

export type GroupProtocol = "consumer" | "classic";

/** The version of every broker that a test starts without naming one. */
export function versionUnderTest(): KafkaVersion {
  const wanted = process.env.TEST_KAFKA_VERSION;
  return KAFKA_VERSIONS.find((version) => version === wanted) ?? KAFKA_VERSION_DEFAULT;
}

/** The protocols that a file is run with: those that it is about, or the one that was asked for. */
export function protocolsUnderTest(
  ...about: readonly [GroupProtocol, ...GroupProtocol[]]
): readonly GroupProtocol[] {
  const wanted = process.env.TEST_GROUP_PROTOCOL;
  return wanted === "consumer" || wanted === "classic" ? [wanted] : about;
}

/** Settings of services. Without a protocol, the one that was asked for, or else what they choose by themselves. */
export function kafkaSettings(protocol?: GroupProtocol): Record<string, string> {
  const { TEST_KAFKA_DRIVER: driver, TEST_GROUP_PROTOCOL: wanted } = process.env;
  const groupProtocol = protocol ?? wanted;
  return {
    ...(driver !== undefined && { PENSTOCK_KAFKA_DRIVER: driver }),
    ...(groupProtocol !== undefined && { PENSTOCK_KAFKA_GROUP_PROTOCOL: groupProtocol }),
  };
}
