import { readDurationMs, type SecondsAndNanos } from "../mapping/constraints/field-values.ts";
import { show, Violations } from "../mapping/constraints/violations.ts";
import { FUNCTION_CONCURRENCY_MAX, FUNCTION_NAME_LENGTH_MAX } from "../mapping/mapping-limits.ts";
import { checkHeaders } from "./function-headers.ts";
import {
  FUNCTION_TIMEOUT_DEFAULT_MS,
  FUNCTION_TIMEOUT_MAX_MS,
  type FunctionSpec,
  type FunctionTarget,
  PAYLOAD_BYTES_MAX,
  PAYLOAD_BYTES_MAX_GRPC_DEFAULT,
  PAYLOAD_BYTES_MAX_HTTP_DEFAULT,
  PAYLOAD_BYTES_MIN,
} from "./function-spec.ts";
import { checkFunctionAddress, checkFunctionUrl } from "./function-targets.ts";

/** A function to store, as a caller may send it; absent = not sent. */
export interface FunctionInput {
  readonly name: string;
  readonly target?: FunctionTarget;
  readonly timeout?: SecondsAndNanos;
  readonly maxConcurrency?: number;
  readonly payloadBytesMax?: bigint;
}

/** A function without what the registry counts. */
export type FunctionSettings = Omit<FunctionSpec, "revision">;

export function isFunctionName(name: string): boolean {
  return name.length <= FUNCTION_NAME_LENGTH_MAX && /^[a-zA-Z0-9-_.]+$/.test(name);
}

/**
 * Validates a function and fills in the defaults.
 *
 * @throws PenstockError `invalidArgument` that names everything that is wrong.
 */
export function readFunction(input: FunctionInput): FunctionSettings {
  const violations = new Violations();
  if (!isFunctionName(input.name)) {
    violations.add(
      "function.name",
      `function.name must have 1 to ${FUNCTION_NAME_LENGTH_MAX} characters of [a-zA-Z0-9-_.], not ${show(input.name)}.`,
    );
  }
  const settings: FunctionSettings = {
    name: input.name,
    target: readTarget(input.target, violations),
    timeoutMs: readTimeout(input.timeout, violations),
    maxConcurrency: readConcurrency(input.maxConcurrency, violations),
    payloadBytesMax: readPayload(input, violations),
  };
  violations.throwIfAny();
  return settings;
}

function readTarget(target: FunctionTarget | undefined, violations: Violations): FunctionTarget {
  if (target === undefined) {
    violations.add("function.http", "function must have a target: http or grpc.");
    return { kind: "http", url: "", headers: {} };
  }
  if (target.kind === "grpc") {
    checkFunctionAddress(violations, target.address);
    return target;
  }
  checkFunctionUrl(violations, target.url);
  checkHeaders(violations, target.headers);
  return target;
}

function readTimeout(timeout: SecondsAndNanos | undefined, violations: Violations): number {
  if (timeout === undefined) return FUNCTION_TIMEOUT_DEFAULT_MS;
  const rule = { field: "function.timeout", minMs: 1, maxMs: FUNCTION_TIMEOUT_MAX_MS };
  const ms = readDurationMs(violations, rule, timeout);
  return ms ?? FUNCTION_TIMEOUT_DEFAULT_MS;
}

function readConcurrency(value: number | undefined, violations: Violations): number | null {
  if (value === undefined) return null;
  checkRange(violations, "function.max_concurrency", value, 1, FUNCTION_CONCURRENCY_MAX);
  return value;
}

function readPayload({ payloadBytesMax, target }: FunctionInput, violations: Violations): number {
  if (payloadBytesMax === undefined) {
    const isGrpc = target?.kind === "grpc";
    return isGrpc ? PAYLOAD_BYTES_MAX_GRPC_DEFAULT : PAYLOAD_BYTES_MAX_HTTP_DEFAULT;
  }
  const field = "function.payload_bytes_max";
  checkRange(violations, field, payloadBytesMax, PAYLOAD_BYTES_MIN, PAYLOAD_BYTES_MAX);
  return Number(payloadBytesMax);
}

function checkRange(
  violations: Violations,
  field: string,
  value: number | bigint,
  min: number,
  max: number,
): void {
  if (value >= min && value <= max && (typeof value === "bigint" || Number.isInteger(value)))
    return;
  violations.add(field, `${field} must be a whole number from ${min} to ${max}, not ${value}.`);
}
