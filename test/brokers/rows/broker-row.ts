/**
 * The rows of the table in docs/operating/brokers.md: what the contract of record sources is run on. To run it on something else, add a row.
 */
import { KAFKA_VERSION_DEFAULT, type KafkaVersion } from "@penstock/local";
import type { Codec } from "../../record-source/operator.ts";

export interface BrokerRow {
  readonly version: KafkaVersion;
  readonly driver: "native" | "kafkajs";
  readonly protocol: "consumer" | "classic";
  readonly security: "plaintext" | "SASL_SSL SCRAM-SHA-512" | "SASL_SSL PLAIN";
  /** Runs in `npm test` too, not only in `npm run test:brokers`. */
  readonly isEssential: boolean;
}

const SCRAM = { security: "SASL_SSL SCRAM-SHA-512" } as const;
const PLAIN = { security: "SASL_SSL PLAIN" } as const;
const ESSENTIAL = { isEssential: true } as const;

export function row(
  version: KafkaVersion,
  driver: BrokerRow["driver"],
  protocol: BrokerRow["protocol"],
  rest: Partial<BrokerRow> = {},
): BrokerRow {
  return { version, driver, protocol, security: "plaintext", isEssential: false, ...rest };
}

/** Brokers of 2.8 and older have no secured listeners here; KRaft learned to change SCRAM credentials with 3.5 (KIP-900). */
export const ROWS: readonly BrokerRow[] = [
  row("4.3", "native", "consumer", ESSENTIAL),
  row("4.3", "native", "consumer", SCRAM),
  row("4.3", "native", "classic", ESSENTIAL),
  row("4.3", "native", "classic", SCRAM),
  row("4.3", "kafkajs", "classic", ESSENTIAL),
  row("4.3", "kafkajs", "classic", SCRAM),
  row("4.0", "native", "consumer"),
  row("4.0", "native", "consumer", SCRAM),
  row("4.0", "native", "classic"),
  row("3.9", "native", "classic", ESSENTIAL),
  row("3.9", "native", "classic", SCRAM),
  row("3.9", "kafkajs", "classic"),
  row("3.4", "native", "classic"),
  row("3.4", "native", "classic", PLAIN),
  row("3.4", "kafkajs", "classic"),
  row("2.8", "native", "classic"),
  row("2.8", "kafkajs", "classic"),
  row("2.4", "native", "classic"),
  row("2.4", "kafkajs", "classic"),
  row("1.1", "native", "classic"),
  row("1.1", "kafkajs", "classic"),
  row("0.11", "native", "classic"),
  row("0.11", "kafkajs", "classic"),
  row("0.10.2", "kafkajs", "classic"),
  row("0.10.1", "kafkajs", "classic"),
];

export function titleOf({ version, driver, protocol, security }: BrokerRow): string {
  return `Kafka ${version}, ${driver} driver, ${protocol} groups, ${security}`;
}

/**
 * The rows of one version that this run is about. `BROKER_ROWS` (set by test/brokers/run) is a JSON object of the fields that a row
 * must have, `{}` for every row; without it only the essential ones run.
 */
export function selectedRows(
  version: KafkaVersion,
  rows: readonly BrokerRow[] = ROWS,
): BrokerRow[] {
  const wanted = process.env.BROKER_ROWS;
  const filter = wanted === undefined ? ESSENTIAL : (JSON.parse(wanted) as Record<string, unknown>);
  return rows.filter((one) => one.version === version && isLike(one, filter));
}

/** Whether a row has all of these fields. */
export function isLike(one: BrokerRow, fields: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(fields).every(([name, value]) => one[name as keyof BrokerRow] === value);
}

/** What takes long, brokers that are away or silent above all, is claimed of the native driver on the newest version in `npm test`. */
export function isThorough({ version, driver }: BrokerRow): boolean {
  return isLongRun() || (version === KAFKA_VERSION_DEFAULT && driver === "native");
}

export function isLongRun(): boolean {
  return process.env.BROKER_ROWS !== undefined;
}

/** What brokers of a version can do, where claims need it. */
export interface Offers {
  /** The start of a log can be moved (KIP-107). */
  readonly deletesRecords: boolean;
  /** KIP-98. */
  readonly transactions: boolean;
  /** By request (KIP-195); before, by a tool that writes to ZooKeeper. */
  readonly addsPartitions: boolean;
  readonly codecs: readonly Codec[];
  /** Keeps a topic in the message formats of before 0.11 that asks for it; Kafka 3.0 writes record batches only. */
  readonly writesOldFormats: boolean;
}

export function offersOf(version: KafkaVersion): Offers {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isFrom = (m: number, n: number): boolean => major > m || (major === m && minor >= n);
  // The tests' producer with other codecs writes the record format of 0.11; zstd came with KIP-110.
  const codecs: Codec[] = isFrom(0, 11) ? ["gzip", "snappy", "lz4"] : [];
  return {
    deletesRecords: isFrom(0, 11),
    transactions: isFrom(0, 11),
    addsPartitions: isFrom(1, 0),
    codecs: isFrom(2, 1) ? [...codecs, "zstd"] : codecs,
    writesOldFormats: isFrom(0, 11) && !isFrom(3, 0),
  };
}
