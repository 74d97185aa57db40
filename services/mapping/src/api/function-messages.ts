import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type FunctionInput,
  type FunctionTarget,
  HIDDEN_VALUE,
  invalidField,
} from "@penstock/core";
import { mapping } from "@penstock/proto";
import type { StoredFunction } from "../functions/stored-function.ts";

/** Reads a function message; what the service sets itself (`revision`, `update_time`) is not looked at. */
export function functionInput(message: mapping.Function | undefined): FunctionInput {
  if (message === undefined) throw invalidField("function", "function is required.");
  const target = functionTarget(message);
  return {
    name: message.name,
    ...(target && { target }),
    ...(message.timeout && { timeout: message.timeout }),
    ...(message.maxConcurrency !== undefined && { maxConcurrency: message.maxConcurrency }),
    ...(message.payloadBytesMax !== undefined && { payloadBytesMax: message.payloadBytesMax }),
  };
}

function functionTarget({ target }: mapping.Function): FunctionTarget | undefined {
  if (target.case === "http") {
    return { kind: "http", url: target.value.url, headers: target.value.headers };
  }
  if (target.case === "grpc") {
    return { kind: "grpc", address: target.value.address, tls: target.value.tls };
  }
  return undefined;
}

/** A function for an answer: header values hidden. */
export function functionMessage(stored: StoredFunction): mapping.Function {
  return create(mapping.FunctionSchema, {
    name: stored.name,
    target: targetMessage(stored),
    timeout: durationFromMs(stored.timeoutMs),
    ...(stored.maxConcurrency !== null && { maxConcurrency: stored.maxConcurrency }),
    payloadBytesMax: BigInt(stored.payloadBytesMax),
    revision: stored.revision,
    updateTime: timestampFromMs(stored.updatedAtMs),
  });
}

function targetMessage({ target }: StoredFunction) {
  if (target.kind === "grpc") {
    const value = create(mapping.GrpcTargetSchema, { address: target.address, tls: target.tls });
    return { case: "grpc" as const, value };
  }
  const headers = Object.fromEntries(target.headerNames.map((name) => [name, HIDDEN_VALUE]));
  const value = create(mapping.HttpTargetSchema, { url: target.url, headers });
  return { case: "http" as const, value };
}
