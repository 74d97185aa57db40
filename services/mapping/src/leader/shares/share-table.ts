import type { ConcurrencyLease } from "@penstock/core";
import type { Sql } from "@penstock/postgres";

/** A function that allows a limited number of calls at once. */
export interface FunctionCap {
  readonly functionName: string;
  readonly callsMax: number;
}

/** A share as it is in the table; times in ms from now, by the database's clock. */
export interface StoredShare extends Omit<ConcurrencyLease, "isLive"> {
  readonly functionName: string;
}

interface Row {
  function_name: string;
  node_id: string;
  calls_max: number;
  lease_ms: number;
  lapsing_calls_max: number;
  lapsing_ms: number;
  in_flight: number;
  waiting: number;
}

/** Functions with a limit. */
export async function readCaps(sql: Sql): Promise<readonly FunctionCap[]> {
  const rows = await sql<{ name: string; max_concurrency: number }[]>`
    select name, max_concurrency from functions
     where max_concurrency is not null order by name`;
  return rows.map((row) => ({ functionName: row.name, callsMax: row.max_concurrency }));
}

/** Rounded up: a lease never looks shorter than it is. */
export async function readShares(sql: Sql): Promise<readonly StoredShare[]> {
  const rows = await sql<Row[]>`
    select function_name, node_id, calls_max, lapsing_calls_max, in_flight, waiting,
           ceil(extract(epoch from lease_until - clock_timestamp()) * 1000)::float8 as lease_ms,
           ceil(extract(epoch from lapsing_until - clock_timestamp()) * 1000)::float8 as lapsing_ms
      from concurrency_shares order by function_name, node_id`;
  return rows.map((row) => ({
    functionName: row.function_name,
    nodeId: row.node_id,
    callsMax: row.calls_max,
    leaseUntilMs: row.lease_ms,
    lapsingCallsMax: row.lapsing_calls_max,
    lapsingUntilMs: row.lapsing_ms,
    inFlight: row.in_flight,
    waiting: row.waiting,
  }));
}

/** Invokers that were seen lately. */
export async function readLiveInvokers(sql: Sql, silentMs: number): Promise<readonly string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from nodes
     where kind = 'invoker'
       and seen_at >= clock_timestamp() - ${silentMs}::float8 * interval '1 millisecond'
     order by id`;
  return rows.map((row) => row.id);
}

/** Leases begin anew with the write, so what was read before it can only have become shorter. */
export async function writeShares(
  sql: Sql,
  due: readonly StoredShare[],
  stale: readonly StoredShare[],
  leaseMs: number,
): Promise<void> {
  if (due.length > 0) {
    await sql`
      insert into concurrency_shares
        (function_name, node_id, calls_max, lease_until, lapsing_calls_max, lapsing_until)
      select r.function_name, r.node_id, r.calls_max,
             clock_timestamp() + ${leaseMs}::int * interval '1 millisecond',
             r.lapsing_calls_max,
             clock_timestamp() + r.lapsing_ms * interval '1 millisecond'
        from unnest(
          ${due.map((share) => share.functionName)}::text[], ${due.map((share) => share.nodeId)}::uuid[],
          ${due.map((share) => share.callsMax)}::int[],
          ${due.map((share) => share.lapsingCallsMax)}::int[],
          ${due.map((share) => share.lapsingUntilMs)}::float8[]
        ) as r (function_name, node_id, calls_max, lapsing_calls_max, lapsing_ms)
      on conflict (function_name, node_id) do update
        set calls_max = excluded.calls_max, lease_until = excluded.lease_until,
            lapsing_calls_max = excluded.lapsing_calls_max, lapsing_until = excluded.lapsing_until`;
  }
  if (stale.length > 0) {
    await sql`
      delete from concurrency_shares s
       using unnest(${stale.map((share) => share.functionName)}::text[],
                    ${stale.map((share) => share.nodeId)}::uuid[]) as r (function_name, node_id)
       where s.function_name = r.function_name and s.node_id = r.node_id`;
  }
}
