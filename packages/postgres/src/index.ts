/** Postgres: connections, transactions, migrations, notifications, election. The only package that knows a SQL driver. */
export type { Database, DatabaseLog, DatabaseOptions } from "./database.ts";
export { openDatabase } from "./database.ts";
export { constraintOf } from "./database-errors.ts";
export { assertTerm, createElection, type Election } from "./election.ts";
export type { ListenHandlers, Subscription } from "./listener.ts";
export { migrate } from "./migrations.ts";
export { notify } from "./notify.ts";
export type { Sql, SqlQuery, SqlRows } from "./sql-query.ts";
export type { TransactionOptions } from "./transaction.ts";
