import {
  FUNCTION_TIMEOUT_DEFAULT_MS,
  FUNCTION_TIMEOUT_MAX_MS,
  type FunctionSpec,
  type FunctionTarget,
  PAYLOAD_BYTES_MAX,
  PAYLOAD_BYTES_MAX_GRPC_DEFAULT,
  PAYLOAD_BYTES_MAX_HTTP_DEFAULT,
  PAYLOAD_BYTES_MIN,
  PenstockError,
} from "@penstock/core";
import type { mapping } from "@penstock/proto";

/** A function as the fleet stream carries it. Throws `invalidArgument` without a target. */
export function functionSpecOf(message: mapping.Function): FunctionSpec {
  const target = targetOf(message);
  const timeout = message.timeout;
  const timeoutMs =
    timeout === undefined
      ? FUNCTION_TIMEOUT_DEFAULT_MS
      : Number(timeout.seconds) * 1000 + timeout.nanos / 1e6;
  const payloadDefault =
    target.kind === "http" ? PAYLOAD_BYTES_MAX_HTTP_DEFAULT : PAYLOAD_BYTES_MAX_GRPC_DEFAULT;
  return {
    name: message.name,
    revision: message.revision,
    target,
    timeoutMs: clamp(timeoutMs, 1, FUNCTION_TIMEOUT_MAX_MS),
    maxConcurrency: message.maxConcurrency ?? null,
    payloadBytesMax: clamp(
      Number(message.payloadBytesMax ?? payloadDefault),
      PAYLOAD_BYTES_MIN,
      PAYLOAD_BYTES_MAX,
    ),
  };
}

function targetOf(message: mapping.Function): FunctionTarget {
  const { target } = message;
  switch (target.case) {
    case "http":
      return { kind: "http", url: target.value.url, headers: { ...target.value.headers } };
    case "grpc":
      return { kind: "grpc", address: target.value.address, tls: target.value.tls };
    default:
      throw new PenstockError("invalidArgument", "A function needs a target: http or grpc.");
  }
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}
