import type { PayloadFormat } from "../ports/invoker.ts";

/** A function of the registry: where to send batches, and its limits. Defaults and ranges: `FunctionService` in the proto. */
export interface FunctionSpec {
  readonly name: string;
  /** Counts the changes, from 1. */
  readonly revision: bigint;
  readonly target: FunctionTarget;
  /** Deadline of one call, ms. */
  readonly timeoutMs: number;
  /** Calls at once over the fleet; null = no limit. */
  readonly maxConcurrency: number | null;
  readonly payloadBytesMax: number;
}

export type FunctionTarget =
  | {
      readonly kind: "http";
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
    }
  | { readonly kind: "grpc"; readonly address: string; readonly tls: boolean };

/** How a target wants its batches encoded. */
export function payloadFormatOf(target: FunctionTarget): PayloadFormat {
  return target.kind === "http" ? "lambdaJson" : "handleRequest";
}

export const FUNCTION_TIMEOUT_DEFAULT_MS = 60_000;
export const FUNCTION_TIMEOUT_MAX_MS = 14 * 60_000;
export const PAYLOAD_BYTES_MAX_HTTP_DEFAULT = 6 * 1024 * 1024;
export const PAYLOAD_BYTES_MAX_GRPC_DEFAULT = 4 * 1024 * 1024 - 64 * 1024;
export const PAYLOAD_BYTES_MIN = 1024;
export const PAYLOAD_BYTES_MAX = 64 * 1024 * 1024;
export const RESPONSE_BYTES_MAX_DEFAULT = 6 * 1024 * 1024;
