import type postgres from "postgres";
import { type ArrayElement, writeArray } from "./array-literal.ts";

/**
 * SQL as it is written in the code: tagged templates whose `${}` are always parameters, never text.
 *
 *     const rows = await sql<{ id: string }[]>`select id from mappings where topic = ${topic}`;
 *     await sql`insert into gaps ${sql(rows, "id", "reason")}`;
 *
 * A query is lazy: it runs when it is awaited, once. Not awaited, it is a fragment to put into another one. Where it runs (a connection of
 * the pool, or the one of a transaction) and for how long at most is decided by whoever made the template function.
 */
export interface Sql {
  /** A query, or a fragment of one. The type argument names the rows, as an array type. */
  <Rows extends readonly object[] = Record<string, unknown>[]>(
    template: TemplateStringsArray,
    ...values: readonly SqlValue[]
  ): SqlQuery<Rows>;
  /** Columns and values of an insert or update, or the members of `in (…)`; postgres.js's helper. */
  (
    rows: object | readonly object[] | readonly (string | number | bigint)[],
    ...columns: readonly string[]
  ): SqlHelper;
  /** A jsonb parameter. */
  json(value: unknown): SqlHelper;
}

export type SqlValue =
  | ArrayElement
  | readonly ArrayElement[]
  | SqlHelper
  | SqlQuery<readonly object[]>
  | readonly SqlQuery<readonly object[]>[];

/** Rows, with `count`: how many rows the statement returned or changed. */
export type SqlRows<Rows extends readonly object[]> = Rows & { readonly count: number };

export type NativeSql = postgres.Sql<{ bigint: bigint }>;
type NativeQuery = postgres.PendingQuery<Record<string, unknown>[]>;

/** A parameter that only the connection that runs the query can build. */
export class SqlHelper {
  readonly build: (native: NativeSql) => unknown;
  constructor(build: (native: NativeSql) => unknown) {
    this.build = build;
  }
}

/** Runs a query somewhere. */
export type SqlRunner = (query: SqlQuery<readonly object[]>) => Promise<unknown>;

export class SqlQuery<Rows extends readonly object[]> implements Promise<SqlRows<Rows>> {
  readonly [Symbol.toStringTag] = "SqlQuery";
  readonly #runner: SqlRunner;
  readonly #template: TemplateStringsArray;
  readonly #values: readonly SqlValue[];
  #running: Promise<SqlRows<Rows>> | null = null;

  constructor(runner: SqlRunner, template: TemplateStringsArray, values: readonly SqlValue[]) {
    this.#runner = runner;
    this.#template = template;
    this.#values = values;
  }

  /** The same query for one connection. */
  build(native: NativeSql): NativeQuery {
    const values = this.#values.map((value) => buildValue(native, value));
    return native(this.#template, ...(values as never[])) as unknown as NativeQuery;
  }

  // biome-ignore lint/suspicious/noThenProperty: a query is awaited; that is how it runs.
  then<A = SqlRows<Rows>, B = never>(
    onRows?: ((rows: SqlRows<Rows>) => A | PromiseLike<A>) | null,
    onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#run().then(onRows, onError);
  }

  catch<B = never>(onError?: ((reason: unknown) => B | PromiseLike<B>) | null) {
    return this.#run().catch(onError);
  }

  finally(onEnd?: (() => void) | null): Promise<SqlRows<Rows>> {
    return this.#run().finally(onEnd);
  }

  #run(): Promise<SqlRows<Rows>> {
    this.#running ??= this.#runner(this) as Promise<SqlRows<Rows>>;
    return this.#running;
  }
}

function buildValue(native: NativeSql, value: SqlValue): unknown {
  if (value instanceof SqlQuery) return value.build(native);
  if (value instanceof SqlHelper) return value.build(native);
  if (!Array.isArray(value)) return value;
  if (value[0] instanceof SqlQuery) return value.map((fragment) => buildValue(native, fragment));
  // As text without a type: the server knows the type from where it stands.
  return native.typed(writeArray(value), 0);
}

/** Rows of an insert or update may hold jsonb parameters. */
function buildRows(native: NativeSql, rows: unknown): unknown {
  if (Array.isArray(rows)) return rows.map((row) => buildRows(native, row));
  if (typeof rows !== "object" || rows === null) return rows;
  const built = Object.entries(rows).map(([name, value]) => [
    name,
    value instanceof SqlHelper ? value.build(native) : value,
  ]);
  return Object.fromEntries(built);
}

/** Makes the template function for a runner. */
export function createSql(runner: SqlRunner): Sql {
  const sql = (first: unknown, ...rest: readonly unknown[]) =>
    isTemplate(first)
      ? new SqlQuery(runner, first, rest as readonly SqlValue[])
      : new SqlHelper((native) =>
          (native as (...all: unknown[]) => unknown)(buildRows(native, first), ...rest),
        );
  return Object.assign(sql, {
    json: (value: unknown) => new SqlHelper((native) => native.json(value as postgres.JSONValue)),
  }) as unknown as Sql;
}

function isTemplate(value: unknown): value is TemplateStringsArray {
  return Array.isArray(value) && "raw" in value;
}
