import { PenstockError } from "@penstock/core";

/**
 * What a report may contain. A malformed field would make the statement fail that stores the reports of all nodes, so it is
 * refused here, and ends the stream that sent it.
 */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function requireUuid(field: string, value: string): void {
  if (!UUID.test(value)) refuse(field, "must be a UUID");
}

/** Text that Postgres can store (it has no NUL character). */
export function requireText(field: string, value: string, charactersMax: number): void {
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
export function cutText(value: string, charactersMax: number): string {
  return value.replaceAll("\0", "").slice(0, charactersMax);
}

/** Largest integers that Postgres stores. */
export const INT_MAX = 2 ** 31 - 1;
export const BIGINT_MAX = 2n ** 63n - 1n;

function refuse(field: string, description: string): never {
  throw new PenstockError("invalidArgument", `${field} ${description}`, {
    violations: [{ field, description }],
  });
}
