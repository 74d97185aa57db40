import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { PenstockError } from "@penstock/core";

/**
 * What a report may contain. A malformed field would make the statement fail that stores the reports of all nodes, so it is
 * refused here, and ends the stream that sent it.
 */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function requireUuid(field: string, value: string): void {
  if (!UUID.test(value)) refuse(field, "must be a UUID");
}

/** A UUID as Postgres writes it, so that two that are equal are the same text: no statement may meet a row twice. */
export function requireLowerUuid(field: string, value: string): void {
  requireUuid(field, value);
  if (value !== value.toLowerCase()) refuse(field, "must be a UUID in lower case");
}

/** A time that a Timestamp may be: of the years 1 to 9999. */
export function requireTime(field: string, time: Timestamp | undefined): void {
  if (time === undefined) return;
  const { seconds, nanos } = time;
  if (seconds < SECONDS_MIN || seconds > SECONDS_MAX || nanos < 0 || nanos > 999_999_999) {
    refuse(field, "must be a time of the years 1 to 9999");
  }
}

/** Text that Postgres can store (it has no NUL character). */
export function requireText(
  field: string,
  value: string,
  charactersMax: number,
  charactersMin = 0,
): void {
  if (value.length < charactersMin) refuse(field, "must not be empty");
  if (value.length > charactersMax) refuse(field, `has at most ${charactersMax} characters`);
  if (value.includes("\0")) refuse(field, "must not contain NUL");
}

export function requireAtLeast(field: string, value: number | bigint, min: number | bigint): void {
  if (value < min) refuse(field, `must be at least ${min}`);
}

export function requireAtMost(field: string, value: number | bigint, max: number | bigint): void {
  if (value > max) refuse(field, `must be at most ${max}`);
}

export function requireCount(field: string, count: number, countMax: number): void {
  if (count > countMax) refuse(field, `has at most ${countMax} entries`);
}

/** Cuts what is shown to people only, and takes out what Postgres can't store. */
export function cutMessage(message: string): string {
  const text = message.replaceAll("\0", "");
  if (text.length <= MESSAGE_CHARACTERS_MAX) return text;
  // A copy: a slice would keep the whole text in memory.
  return Buffer.from(text.slice(0, MESSAGE_CHARACTERS_MAX)).toString();
}

/** Seconds of a Timestamp, as its definition bounds them. */
const SECONDS_MIN = -62_135_596_800n;
const SECONDS_MAX = 253_402_300_799n;
/** Characters of texts that are shown to people. */
const MESSAGE_CHARACTERS_MAX = 1_000;

/** Largest integers that Postgres stores. */
export const INT_MAX = 2 ** 31 - 1;
export const BIGINT_MAX = 2n ** 63n - 1n;

function refuse(field: string, description: string): never {
  throw new PenstockError("invalidArgument", `${field} ${description}`, {
    violations: [{ field, description }],
  });
}
