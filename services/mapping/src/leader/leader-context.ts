import type { Database } from "@penstock/postgres";
import type { FleetLog } from "../fleet/fleet-log.ts";
import type { FleetSettings } from "../fleet/fleet-settings.ts";
import type { FilterSeal } from "../seal/filter-seal.ts";
import type { ClusterAdmins } from "./clusters/cluster-admins.ts";
import type { Term } from "./election/term.ts";

/** What every controller works with, for one term. */
export interface LeaderContext {
  readonly db: Database;
  readonly term: Term;
  readonly clusters: ClusterAdmins;
  readonly settings: FleetSettings;
  /** Reads filters that are stored under a key of the user's. */
  readonly filters: Pick<FilterSeal, "open">;
  readonly nowMs: () => number;
  readonly observeLook?: (durationMs: number) => void;
  readonly log: FleetLog;
}
