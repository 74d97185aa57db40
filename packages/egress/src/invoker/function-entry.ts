import { type FunctionSpec, payloadFormatOf } from "@penstock/core";
import type { CallGate } from "./call-gate.ts";
import type { FunctionCaller } from "./function-caller.ts";

/** A function that this process can call. A new revision keeps the gate: its calls in flight still count. */
export interface FunctionEntry {
  readonly spec: FunctionSpec;
  readonly caller: FunctionCaller;
  readonly gate: CallGate;
}

export function formatOf(entry: FunctionEntry): ReturnType<typeof payloadFormatOf> {
  return payloadFormatOf(entry.spec.target);
}

/** Whether two revisions are called in the same way, so that the caller with its connections can stay. */
export function hasSameTarget(a: FunctionSpec, b: FunctionSpec): boolean {
  const left = a.target;
  const right = b.target;
  if (left.kind === "grpc") {
    return right.kind === "grpc" && left.address === right.address && left.tls === right.tls;
  }
  if (right.kind !== "http" || left.url !== right.url) return false;
  const names = Object.keys(left.headers);
  return (
    names.length === Object.keys(right.headers).length &&
    names.every((name) => left.headers[name] === right.headers[name])
  );
}
