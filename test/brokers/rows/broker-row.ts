/**
 * The rows of the table in docs/operating/brokers.md: what the contract of record sources is run on. To run it on something else, add a row.
 */

/** As the local brokers are named (KAFKA_VERSIONS of @penstock/local). */
export type BrokerVersion = "4.3";

export interface BrokerRow {
  readonly version: BrokerVersion;
  readonly driver: "native" | "kafkajs";
  readonly protocol: "consumer" | "classic";
  readonly security: "plaintext" | "SASL_SSL SCRAM-SHA-512";
  /** Runs in `npm test` too, not only in `npm run test:brokers`. */
  readonly isEssential: boolean;
}

const SCRAM = "SASL_SSL SCRAM-SHA-512";

function row(
  version: BrokerVersion,
  driver: BrokerRow["driver"],
  protocol: BrokerRow["protocol"],
  rest: Partial<BrokerRow> = {},
): BrokerRow {
  return { version, driver, protocol, security: "plaintext", isEssential: false, ...rest };
}

export const ROWS: readonly BrokerRow[] = [
  row("4.3", "native", "consumer", { isEssential: true }),
  row("4.3", "native", "consumer", { security: SCRAM }),
];

export function titleOf({ version, driver, protocol, security }: BrokerRow): string {
  return `Kafka ${version}, ${driver} driver, ${protocol} groups, ${security}`;
}

/**
 * The rows of one version that this run is about. `BROKER_ROWS` (set by scripts/test-brokers.mjs) is a JSON object of the fields that a row
 * must have, `{}` for every row; without it only the essential ones run.
 */
export function selectedRows(version: BrokerVersion): BrokerRow[] {
  const wanted = process.env.BROKER_ROWS;
  const filter = wanted === undefined ? { isEssential: true } : JSON.parse(wanted);
  return ROWS.filter(
    (one) =>
      one.version === version &&
      Object.entries(filter).every(([name, value]) => one[name as keyof BrokerRow] === value),
  );
}

export function isLongRun(): boolean {
  return process.env.BROKER_ROWS !== undefined;
}
