/**
 * Sends a request in the newest version that the broker behind a connection and Penstock have in common.
 *
 * A table names the versions of one API, newest first, all with the same arguments and an answer of the same shape: the modules leave out of a
 * request what its version doesn't have, and put the protocol's defaults in its place in an answer.
 *
 * Waits while the broker throttles the connection, except with what a membership depends on.
 */
import { PenstockError } from "@penstock/core";
import type { Connection } from "@platformatic/kafka";
import { throttleOf } from "../../connection/throttle.ts";
import type { Cluster } from "../cluster.ts";
import { type Api, request } from "../request.ts";

export interface VersionedApi<Arguments extends unknown[], Response>
  extends Api<Arguments, Response> {
  readonly key: number;
  readonly version: number;
}

export interface VersionTable<Arguments extends unknown[], Response> {
  /** As the protocol calls it. */
  readonly name: string;
  /** Kafka version that first offers one of them. */
  readonly since: string;
  /** What to do without it. Default: another driver. */
  readonly cure?: string;
  /** Newest first, without a gap. */
  readonly versions: readonly [
    VersionedApi<Arguments, Response>,
    ...VersionedApi<Arguments, Response>[],
  ];
}

const ANOTHER_DRIVER = "choose PENSTOCK_KAFKA_DRIVER=kafkajs";

/** JoinGroup, Heartbeat, LeaveGroup, SyncGroup. */
const URGENT: ReadonlySet<number> = new Set([11, 12, 13, 14]);

/** Knows what the broker behind a connection offers. */
export type VersionSource = Pick<Cluster, "apiVersion">;

export async function ask<Arguments extends unknown[], Response>(
  source: VersionSource,
  connection: Connection,
  table: VersionTable<Arguments, Response>,
  ...args: Arguments
): Promise<Response> {
  const api = bestVersion(source, connection, table);
  if (api === null) throw unsupported(table, connection);
  if (!URGENT.has(api.key)) await throttleOf(connection).over();
  return request(connection, api, ...args);
}

/** Null: the broker offers none of the versions. */
export function bestVersion<Arguments extends unknown[], Response>(
  source: VersionSource,
  connection: Connection,
  { versions }: VersionTable<Arguments, Response>,
): VersionedApi<Arguments, Response> | null {
  const [{ key, version: newest }] = versions;
  const best = source.apiVersion(connection, key, newest);
  return versions.find(({ version }) => version === best) ?? null;
}

export function unsupported(
  { name, since, cure }: Pick<VersionTable<never, unknown>, "name" | "since" | "cure">,
  { host, port }: Connection,
): PenstockError {
  return new PenstockError(
    "kafkaUnsupported",
    `${host}:${port} does not offer ${name} in a version that Penstock speaks (Kafka ${since} or later): upgrade the brokers, or ${cure ?? ANOTHER_DRIVER}.`,
  );
}
