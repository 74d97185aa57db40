import type { FunctionSpec, FunctionTarget } from "@penstock/core";
import type { Sql } from "@penstock/postgres";
import type { HeaderSeal } from "./header-seal.ts";

/** A function as it lies in Postgres: the target shows the names of headers, never their values. */
export interface StoredFunction {
  readonly name: string;
  readonly revision: bigint;
  readonly target: StoredTarget;
  readonly headersSealed: Uint8Array | null;
  readonly timeoutMs: number;
  readonly maxConcurrency: number | null;
  readonly payloadBytesMax: number;
  readonly updatedAtMs: number;
}

export type StoredTarget =
  | { readonly kind: "http"; readonly url: string; readonly headerNames: readonly string[] }
  | { readonly kind: "grpc"; readonly address: string; readonly tls: boolean };

export interface FunctionRow {
  name: string;
  revision: bigint;
  target_kind: "http" | "grpc";
  target: { url: string; header_names: string[] } & { address: string; tls: boolean };
  headers_sealed: Uint8Array | null;
  timeout_ms: number;
  max_concurrency: number | null;
  payload_bytes_max: bigint;
  updated_at: Date;
}

export function functionColumns(sql: Sql) {
  return sql`
    name, revision, target_kind, target, headers_sealed, timeout_ms, max_concurrency, payload_bytes_max, updated_at`;
}

export function toStoredFunction(row: FunctionRow): StoredFunction {
  const { target } = row;
  return {
    name: row.name,
    revision: row.revision,
    target:
      row.target_kind === "http"
        ? { kind: "http", url: target.url, headerNames: target.header_names }
        : { kind: "grpc", address: target.address, tls: target.tls },
    headersSealed: row.headers_sealed,
    timeoutMs: row.timeout_ms,
    maxConcurrency: row.max_concurrency,
    payloadBytesMax: Number(row.payload_bytes_max),
    updatedAtMs: row.updated_at.getTime(),
  };
}

/** The function with its header values in the clear. Throws when they can't be opened. */
export function openFunction(stored: StoredFunction, seal: HeaderSeal): FunctionSpec {
  return {
    name: stored.name,
    revision: stored.revision,
    target: openTarget(stored, seal),
    timeoutMs: stored.timeoutMs,
    maxConcurrency: stored.maxConcurrency,
    payloadBytesMax: stored.payloadBytesMax,
  };
}

export function openTarget(stored: StoredFunction, seal: HeaderSeal): FunctionTarget {
  if (stored.target.kind === "grpc") return stored.target;
  const headers = stored.headersSealed ? seal.open(stored.name, stored.headersSealed) : {};
  return { kind: "http", url: stored.target.url, headers };
}
