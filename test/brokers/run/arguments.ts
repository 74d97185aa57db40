/** What a run of the broker suite is asked for: fields that rows must have, which parts, and whether the table is written. */
import { parseArgs } from "node:util";

/**
 * contract: record sources on one broker. clusters: three brokers, of which leaders and coordinators move. takeover: groups of other clients.
 * managed: what managed clusters do differently. service: the whole service under faults.
 */
export const PARTS = ["contract", "clusters", "takeover", "managed", "service"] as const;
export type Part = (typeof PARTS)[number];

export interface RunArguments {
  /** Of a row: version, driver, protocol, security. */
  readonly wanted: Readonly<Record<string, string>>;
  readonly parts: readonly Part[];
  readonly isWritten: boolean;
}

export const USAGE = `npm run test:brokers -- [--version 3.4] [--driver native|kafkajs] [--protocol consumer|classic] [--security plaintext|plain|scram]
                          [--part ${PARTS.join("|")}] [--write]
  --write   writes what was run into the table of docs/operating/brokers.md`;

export function readArguments(argv: readonly string[]): RunArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      version: { type: "string" },
      driver: { type: "string" },
      protocol: { type: "string" },
      security: { type: "string" },
      part: { type: "string", multiple: true },
      write: { type: "boolean", default: false },
    },
  });
  const { part = PARTS, write, security, ...rest } = values;
  const wanted = { ...rest, ...(security !== undefined && { security: longSecurity(security) }) };
  const parts = part.filter((name): name is Part => PARTS.some((one) => one === name));
  if (parts.length < part.length) throw new Error(`There is no part ${part.join(", ")}.`);
  return { wanted: wanted as Record<string, string>, parts, isWritten: write };
}

/** As the rows have it. */
function longSecurity(security: string): string {
  if (security === "scram") return "SASL_SSL SCRAM-SHA-512";
  return security === "plain" ? "SASL_SSL PLAIN" : security;
}
