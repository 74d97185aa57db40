/**
 * The contract of record sources: what every driver keeps with every group protocol on every version of Kafka. Rows differ only in what
 * `RecordSourceDriver.capabilities` names and in what the row says; the claims ask the bench, never the version.
 */
import type { KafkaVersion } from "@penstock/local";
import { afterAll, afterEach, beforeAll, describe, it } from "vitest";
import { claimsOfFaults } from "./claims/faults.ts";
import { claimsOfMembership } from "./claims/membership.ts";
import { claimsOfOldFormats } from "./claims/old-formats.ts";
import { claimsOfRecords } from "./claims/records.ts";
import { Bench } from "./rows/bench.ts";
import { type BrokerRow, selectedRows, titleOf } from "./rows/broker-row.ts";
import { type BrokerUnderTest, startBroker } from "./rows/broker-under-test.ts";

const SETUP_MS = 180_000;

/** Every selected row of one version, or those of one driver, on one broker of it. */
export function describeVersion(
  version: KafkaVersion,
  driver: BrokerRow["driver"] | null = null,
): void {
  const rows = selectedRows(version).filter((row) => driver === null || row.driver === driver);
  if (rows.length === 0) {
    it.skip(`Kafka ${version}: no row of it was asked for`);
    return;
  }
  let broker: BrokerUnderTest | null = null;
  beforeAll(async () => {
    broker = await startBroker(version, rows);
  }, SETUP_MS);
  afterAll(() => broker?.stop());
  for (const row of rows)
    describeRecordSource(row, () => {
      if (broker === null) throw new Error("the broker is not up");
      return broker;
    });
}

export function describeRecordSource(row: BrokerRow, broker: () => BrokerUnderTest): void {
  describe(titleOf(row), { timeout: SETUP_MS }, () => {
    let open: Bench | null = null;
    const bench = (): Bench => {
      if (open === null) throw new Error("the bench is not open");
      return open;
    };
    beforeAll(async () => {
      open = await Bench.open(row, broker());
    }, SETUP_MS);
    afterEach(() => bench().world.endProbes());
    afterAll(() => open?.close());
    claimsOfMembership(row, bench);
    claimsOfRecords(row, bench);
    claimsOfOldFormats(row, bench);
    claimsOfFaults(row, bench);
  });
}
