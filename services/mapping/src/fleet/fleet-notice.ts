import { notify, type Sql } from "@penstock/postgres";

/** Channels of Postgres over which replicas tell each other that something changed; of a mapping, the payload is its id. */
export const MAPPINGS_CHANNEL = "penstock_mappings";
export const FLEET_CHANNEL = "penstock_fleet";

/**
 * What is said on the fleet's channel. A hint, never data: who hears it reads the tables, and reads them anyway from time to
 * time. The exception is `planned`, which only makes a hand-over quicker and may be lost.
 */
export type FleetNotice =
  /** A node joined, left or drains. With ids: this replica has the node's stream now. */
  | { readonly kind: "nodes"; readonly nodeId?: string; readonly replicaId?: string }
  /** What a node holds changed. */
  | { readonly kind: "holdings" }
  /** The leader wrote assignments. */
  | { readonly kind: "assignments" }
  /** The leader wrote concurrency shares. */
  | { readonly kind: "shares" }
  /** Members of these groups are about to change. */
  | { readonly kind: "planned"; readonly groups: readonly string[]; readonly durationMs: number };

export async function notifyFleet(sql: Sql, notice: FleetNotice): Promise<void> {
  await notify(sql, FLEET_CHANNEL, JSON.stringify(notice));
}

/** Null for what another version says that this one doesn't know. */
export function parseFleetNotice(payload: string): FleetNotice | null {
  try {
    const parsed: unknown = JSON.parse(payload);
    if (typeof parsed !== "object" || parsed === null || !("kind" in parsed)) return null;
    if (parsed.kind === "planned") return isPlanned(parsed) ? parsed : null;
    return KINDS.has(String(parsed.kind)) ? (parsed as FleetNotice) : null;
  } catch {
    // Whoever wrote it, it is a hint that can't be read: the slow poll makes up for it.
    return null;
  }
}

const KINDS = new Set(["nodes", "holdings", "assignments", "shares"]);

/** Groups in one notice, so that it stays below the size that Postgres takes (a group id has at most 200 characters). */
export const NOTICE_GROUPS_MAX = 30;

function isPlanned(parsed: object): parsed is FleetNotice & { kind: "planned" } {
  if (!("groups" in parsed && "durationMs" in parsed)) return false;
  const { groups, durationMs } = parsed;
  return (
    Array.isArray(groups) &&
    groups.every((group) => typeof group === "string") &&
    typeof durationMs === "number"
  );
}
