import {
  type FunctionSettings,
  type FunctionTarget,
  invariant,
  keepHiddenValues,
} from "@penstock/core";
import type { Sql } from "@penstock/postgres";
import type { HeaderSeal } from "./header-seal.ts";
import { lockFunctionChanges, noteFunctionChange } from "./note-function-change.ts";
import { findFunction } from "./read-functions.ts";
import {
  type FunctionRow,
  functionColumns,
  openTarget,
  type StoredFunction,
  toStoredFunction,
} from "./stored-function.ts";

/**
 * Creates or replaces a function. A header value of `***` keeps the stored one. An equal function changes nothing, not even its revision.
 *
 * @throws PenstockError `invalidArgument` when there is no stored value to keep.
 */
export async function putFunction(
  sql: Sql,
  seal: HeaderSeal,
  settings: FunctionSettings,
): Promise<PutFunction> {
  await lockFunctionChanges(sql);
  const before = await findFunction(sql, settings.name);
  const opened = before && tryOpen(before, seal);
  const after = { ...settings, target: mergeTarget(settings.target, opened) };
  if (before && opened && isEqual({ ...before, target: opened }, after)) {
    return { before, after: before };
  }
  const revision = await noteFunctionChange(sql, settings.name, false);
  return { before, after: await store(sql, seal, after, revision) };
}

export interface PutFunction {
  readonly before: StoredFunction | null;
  /** The same as `before` when nothing changed. */
  readonly after: StoredFunction;
}

/** A function whose values can't be opened can be put again, with new values. */
function tryOpen(before: StoredFunction, seal: HeaderSeal): FunctionTarget | null {
  try {
    return openTarget(before, seal);
  } catch {
    // Reported where it matters: by `keepHiddenValues` when a value is to be kept, and by the registry.
    return null;
  }
}

function mergeTarget(target: FunctionTarget, stored: FunctionTarget | null): FunctionTarget {
  if (target.kind !== "http") return target;
  const known = stored?.kind === "http" ? stored.headers : {};
  return { ...target, headers: keepHiddenValues(target.headers, known) };
}

function isEqual(before: FunctionSettings, after: FunctionSettings): boolean {
  return (
    before.timeoutMs === after.timeoutMs &&
    before.maxConcurrency === after.maxConcurrency &&
    before.payloadBytesMax === after.payloadBytesMax &&
    canonical(before.target) === canonical(after.target)
  );
}

function canonical(target: FunctionTarget): string {
  if (target.kind === "grpc") return JSON.stringify(["grpc", target.address, target.tls]);
  const headers = Object.entries(target.headers).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(["http", target.url, headers]);
}

async function store(
  sql: Sql,
  seal: HeaderSeal,
  settings: FunctionSettings,
  revision: bigint,
): Promise<StoredFunction> {
  const { target } = settings;
  const row = {
    name: settings.name,
    revision,
    target_kind: target.kind,
    target: sql.json(shownTarget(target)),
    headers_sealed: target.kind === "http" ? seal.seal(settings.name, target.headers) : null,
    timeout_ms: settings.timeoutMs,
    max_concurrency: settings.maxConcurrency,
    payload_bytes_max: settings.payloadBytesMax,
  };
  await sql`delete from functions where name = ${settings.name}`;
  const rows = await sql<FunctionRow[]>`
    insert into functions (
      name, revision, target_kind, target, headers_sealed, timeout_ms, max_concurrency, payload_bytes_max
    ) values (
      ${row.name}, ${row.revision}, ${row.target_kind}, ${row.target}, ${row.headers_sealed},
      ${row.timeout_ms}, ${row.max_concurrency}, ${row.payload_bytes_max}
    )
    returning ${functionColumns(sql)}`;
  invariant(rows[0], "an insert returned no row");
  return toStoredFunction(rows[0]);
}

function shownTarget(target: FunctionTarget) {
  return target.kind === "http"
    ? { url: target.url, header_names: Object.keys(target.headers) }
    : { address: target.address, tls: target.tls };
}
