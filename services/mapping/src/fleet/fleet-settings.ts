/** Times and limits of the fleet, with their defaults. All in ms unless named otherwise. */
export interface FleetSettings {
  /** A node that was not seen for this long counts as vanished (PENSTOCK_NODE_VANISHED_MS). */
  readonly nodeVanishedMs: number;
  /** How long a stopped event poller may still have a call under way (PENSTOCK_DRAIN_LIMIT_MS). */
  readonly drainLimitMs: number;
  /** How often `seen_at` of the connected nodes is refreshed; always well below `nodeVanishedMs`. */
  readonly seenIntervalMs: number;
  /** How often tables are read although no notification came: notifications can be lost. */
  readonly pollIntervalMs: number;
  /** How long reports are collected before they are stored in one statement. */
  readonly progressIntervalMs: number;
  /** The leader's lease on database time, and how often it is renewed. */
  readonly leaseMs: number;
  readonly renewIntervalMs: number;
  /** How often the leader looks at the fleet although nothing was announced. */
  readonly leaderIntervalMs: number;
  /** How often the leader reads every mapping anew: the safety net under lost notifications. */
  readonly reloadIntervalMs: number;
  /** Longest time of one question to the brokers of a mapping. */
  readonly brokerAnswerMs: number;
  /** How often topics of running mappings are asked for new partitions. */
  readonly topicIntervalMs: number;
  /** How often a group is asked whether a vanished node's members are gone. */
  readonly groupIntervalMs: number;
  /** How long CREATING, ENABLING and UPDATING wait for an event poller before they end with the problem. */
  readonly enablingMaxMs: number;
  /** How long they wait when waiting is of no use: an operator has to change something, and can only do so afterwards. */
  readonly problemSettleMs: number;
  /** For how long members heartbeat quickly after a planned change was announced. */
  readonly plannedChangeMs: number;
  /** Lease of a concurrency share; a share that was taken away is granted again after it. */
  readonly shareLeaseMs: number;
  readonly shareIntervalMs: number;
  /** Most partitions, and most gaps, that are kept while the database is away. */
  readonly unstoredPartitionsMax: number;
  readonly unstoredGapsMax: number;
  /** Most problems, results and events together, likewise. */
  readonly unstoredNotesMax: number;
  /** Most streams of one replica. */
  readonly streamsMax: number;
}

export const FLEET_SETTINGS_DEFAULT: FleetSettings = {
  nodeVanishedMs: 15_000,
  drainLimitMs: 25_000,
  seenIntervalMs: 3_000,
  pollIntervalMs: 2_000,
  progressIntervalMs: 500,
  leaseMs: 6_000,
  renewIntervalMs: 2_000,
  leaderIntervalMs: 1_000,
  reloadIntervalMs: 10_000,
  brokerAnswerMs: 10_000,
  topicIntervalMs: 30_000,
  groupIntervalMs: 2_000,
  enablingMaxMs: 29_000,
  problemSettleMs: 5_000,
  plannedChangeMs: 15_000,
  shareLeaseMs: 15_000,
  shareIntervalMs: 1_000,
  unstoredPartitionsMax: 200_000,
  unstoredGapsMax: 10_000,
  unstoredNotesMax: 50_000,
  streamsMax: 2_000,
};

/** A node may miss this many refreshes before it counts as vanished. */
const MISSED_REFRESHES_MAX = 4;

/**
 * The defaults, and what is given of them; other fields of a wider object are left out. Presence is refreshed often enough for
 * whatever `nodeVanishedMs` was chosen: otherwise nodes that are well would count as vanished.
 */
export function fleetSettings(given: Partial<FleetSettings>): FleetSettings {
  const settings: Record<string, number> = { ...FLEET_SETTINGS_DEFAULT };
  for (const name of Object.keys(FLEET_SETTINGS_DEFAULT)) {
    const value = given[name as keyof FleetSettings];
    if (value !== undefined) settings[name] = value;
  }
  const merged = settings as unknown as FleetSettings;
  const seenMsMax = Math.floor(merged.nodeVanishedMs / (MISSED_REFRESHES_MAX + 1));
  return { ...merged, seenIntervalMs: Math.min(merged.seenIntervalMs, seenMsMax) };
}
