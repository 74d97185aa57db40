import { checkEnum } from "../constraints/constraints.ts";
import { readTimestampMs } from "../constraints/field-values.ts";
import type { Violations } from "../constraints/violations.ts";
import { type CreateOnlySettings, STARTING_POSITIONS } from "../mapping.ts";
import type { CreateMappingInput } from "../requests/mapping-input.ts";

const POSITION = { field: "starting_position", member: "startingPosition" };
const TIMESTAMP = { field: "starting_position_timestamp", member: "startingPositionTimestamp" };

/**
 * Where to start; not sent = TRIM_HORIZON, as AWS accepts it (and the documentation's own example relies on). A timestamp belongs to
 * AT_TIMESTAMP, and only to it.
 */
export function readStartingPosition(
  { startingPosition: sent = "TRIM_HORIZON", startingPositionTimestamp }: CreateMappingInput,
  violations: Violations,
  nowMs: number,
): Pick<CreateOnlySettings, "startingPosition" | "startingPositionTimestampMs"> {
  const start = { startingPosition: "TRIM_HORIZON", startingPositionTimestampMs: null } as const;
  const isKnown = checkEnum(violations, POSITION, STARTING_POSITIONS, sent);
  const ms =
    startingPositionTimestamp === undefined
      ? null
      : readTimestampMs(violations, TIMESTAMP, startingPositionTimestamp, nowMs);
  if (!isKnown) return start;
  const isAtTimestamp = sent === "AT_TIMESTAMP";
  if (isAtTimestamp && startingPositionTimestamp === undefined) {
    violations.add(
      TIMESTAMP.field,
      `${TIMESTAMP.field} is required with starting position AT_TIMESTAMP.`,
      `Required '${TIMESTAMP.member}' parameter is missing.`,
    );
  }
  if (!isAtTimestamp && startingPositionTimestamp !== undefined) {
    violations.add(
      TIMESTAMP.field,
      `${TIMESTAMP.field} is only allowed with starting position AT_TIMESTAMP.`,
      `Unsupported '${TIMESTAMP.member}' parameter for starting position ${sent}.`,
    );
  }
  return { startingPosition: sent, startingPositionTimestampMs: ms };
}
