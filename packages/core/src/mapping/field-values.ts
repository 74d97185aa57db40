import type { Violations } from "./violations.ts";

/** A protobuf Duration or Timestamp: whole seconds and nanoseconds. */
export interface SecondsAndNanos {
  readonly seconds: bigint;
  readonly nanos: number;
}

const NANOS_PER_MS = 1_000_000;

/** A whole number within bounds, both included; null after a violation. */
export function checkRange(
  violations: Violations,
  field: string,
  value: number | bigint,
  min: number,
  max: number,
): boolean {
  if (value >= min && value <= max && (typeof value === "bigint" || Number.isInteger(value))) {
    return true;
  }
  violations.add(field, `${field} must be a whole number from ${min} to ${max}, not ${value}.`);
  return false;
}

/** A duration in whole ms within bounds, both included; null after a violation. */
export function readDurationMs(
  violations: Violations,
  field: string,
  value: SecondsAndNanos,
  minMs: number,
  maxMs: number,
): number | null {
  const seconds = Number(value.seconds);
  const ms = seconds * 1000 + value.nanos / NANOS_PER_MS;
  const isWellFormed = Math.abs(value.nanos) < 1e9 && seconds * value.nanos >= 0;
  if (!isWellFormed || !Number.isInteger(ms)) {
    violations.add(field, `${field} must be a duration in whole milliseconds.`);
    return null;
  }
  if (ms < minMs || ms > maxMs) {
    violations.add(field, `${field} must be from ${minMs} ms to ${maxMs} ms, not ${ms} ms.`);
    return null;
  }
  return ms;
}

/** A time as ms since the epoch, cut to whole ms; null after a violation. */
export function readTimestampMs(
  violations: Violations,
  field: string,
  value: SecondsAndNanos,
  nowMs: number,
): number | null {
  const ms = Number(value.seconds) * 1000 + Math.floor(value.nanos / NANOS_PER_MS);
  if (value.seconds < 0n || value.nanos < 0 || value.nanos >= 1e9) {
    violations.add(field, `${field} must be a time from 1970 on.`);
    return null;
  }
  if (ms > nowMs) {
    violations.add(field, `${field} must not be in the future.`);
    return null;
  }
  return ms;
}
