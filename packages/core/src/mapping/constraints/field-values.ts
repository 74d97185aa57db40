/** Values that both faces send in forms of their own: durations and times. */

import { awsConstraint, type Member } from "./constraints.ts";
import type { Violations } from "./violations.ts";

/** A protobuf Duration or Timestamp: whole seconds and nanoseconds. */
export interface SecondsAndNanos {
  readonly seconds: bigint;
  readonly nanos: number;
}

const NANOS_PER_MS = 1_000_000;

/** A duration in the whole seconds that AWS can express, rounded up. */
export function wholeSeconds(ms: number): number {
  return Math.ceil(ms / 1000);
}

/** Bounds of a duration, both included, and how AWS names it; without a member AWS has no such setting. */
export interface DurationRule {
  readonly field: string;
  readonly member?: string;
  readonly minMs: number;
  readonly maxMs: number;
}

/** A duration in whole ms within bounds; null after a violation. */
export function readDurationMs(
  violations: Violations,
  rule: DurationRule,
  value: SecondsAndNanos,
): number | null {
  const { field, member, minMs, maxMs } = rule;
  const ms = toMs(value);
  if (ms === null) {
    violations.add(field, `${field} must be a duration in whole milliseconds.`);
    return null;
  }
  if (ms >= minMs && ms <= maxMs) return ms;
  const broken =
    ms > maxMs
      ? `Member must have value less than or equal to ${maxMs / 1000}`
      : `Member must have value greater than or equal to ${minMs / 1000}`;
  violations.add(
    field,
    `${field} must be from ${minMs} ms to ${maxMs} ms, not ${ms} ms.`,
    member === undefined ? undefined : awsConstraint(member, String(ms / 1000), broken),
  );
  return null;
}

function toMs({ seconds, nanos }: SecondsAndNanos): number | null {
  const whole = Number(seconds);
  const ms = whole * 1000 + nanos / NANOS_PER_MS;
  const isWellFormed = Math.abs(nanos) < 1e9 && whole * nanos >= 0;
  return isWellFormed && Number.isInteger(ms) ? ms : null;
}

/** A time as ms since the epoch, cut to whole ms; null after a violation. */
export function readTimestampMs(
  violations: Violations,
  { field, member }: Member,
  value: SecondsAndNanos,
  nowMs: number,
): number | null {
  const ms = Number(value.seconds) * 1000 + Math.floor(value.nanos / NANOS_PER_MS);
  // Negated, so that what is no number is refused too.
  if (!(value.seconds >= 0n && value.nanos >= 0 && value.nanos < 1e9)) {
    violations.add(
      field,
      `${field} must be a time from 1970 on.`,
      `Invalid '${member}' parameter.`,
    );
    return null;
  }
  if (ms > nowMs) {
    violations.add(
      field,
      `${field} must not be in the future.`,
      `The '${member}' parameter must not be in the future.`,
    );
    return null;
  }
  return ms;
}
