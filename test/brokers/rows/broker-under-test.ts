/** A broker of one version for the rows of one file, with a listener for each kind of security that they need. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecurityAdmin } from "@penstock/kafka";
import { type KafkaVersion, type LocalKafka, startKafka } from "@penstock/local";
import { createTestAuthority, plantedSecret } from "@penstock/testkit";
import { password, TestSecurity, trust } from "../../contract/kafka-security/test-security.ts";
import type { ProbeOptions } from "../../record-source/probe.ts";
import type { BrokerRow } from "./broker-row.ts";

/** A cleaner that never rests: compaction within a second. */
const EAGER_CLEANER = {
  "log.cleaner.backoff.ms": 50,
  "log.cleaner.min.cleanable.ratio": 0.0001,
  "log.retention.check.interval.ms": 200,
};
const USER = "reader";
const PASSWORD = plantedSecret("brokers-password");

export interface BrokerUnderTest {
  readonly kafka: LocalKafka;
  /** Where a member of the row comes in. */
  entrance(row: BrokerRow): Pick<ProbeOptions, "bootstrapServers" | "security">;
  stop(): Promise<void>;
}

export async function startBroker(
  version: KafkaVersion,
  rows: readonly BrokerRow[],
): Promise<BrokerUnderTest> {
  const dataDir = mkdtempSync(join(tmpdir(), "penstock-brokers-"));
  const isSecured = rows.some(({ security }) => security !== "plaintext");
  const authority = isSecured ? await createTestAuthority() : null;
  const kafka = await startKafka({
    version,
    dataDir,
    heapMb: 256,
    extraProperties: EAGER_CLEANER,
    ...(authority && {
      security: {
        identity: await authority.issue(["localhost", "127.0.0.1"]),
        clientAuthority: authority.certificate,
        plainUsers: { [USER]: PASSWORD },
      },
    }),
  });
  if (authority !== null) {
    const acls = createSecurityAdmin({ bootstrapServers: [kafka.bootstrapServers] });
    if (rows.some(({ security }) => security.includes("SCRAM")))
      await acls.setScramPassword(USER, PASSWORD);
    const principal = `User:${USER}`;
    for (const resource of ["topic", "group"] as const)
      await acls.allow({ principal, operation: "Read", resource, name: "*" });
    await acls.close();
  }
  return {
    kafka,
    entrance({ security }) {
      if (security === "plaintext" || authority === null)
        return { bootstrapServers: kafka.bootstrapServers };
      return {
        bootstrapServers: kafka.listener("SASL_TLS"),
        security: new TestSecurity("brokers", {
          tls: trust(authority.certificate),
          sasl: password(security === "SASL_SSL PLAIN" ? "PLAIN" : "SCRAM-SHA-512", USER, PASSWORD),
        }),
      };
    },
    async stop() {
      await kafka.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
