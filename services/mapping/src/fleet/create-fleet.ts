import { randomUUID } from "node:crypto";
import type { ConnectRouter } from "@connectrpc/connect";
import type { Clock } from "@penstock/core";
import type { Database, Subscription } from "@penstock/postgres";
import { fleet } from "@penstock/proto";
import type { FunctionRegistry } from "../functions/function-registry.ts";
import type { OpenClusterAdmin } from "../leader/clusters/cluster-admin.ts";
import { ClusterAdmins } from "../leader/clusters/cluster-admins.ts";
import { Leadership } from "../leader/election/leadership.ts";
import { Leader } from "../leader/leader.ts";
import { createFilterSeal, type FilterSeal } from "../seal/filter-seal.ts";
import type { FleetLog } from "./fleet-log.ts";
import { FLEET_CHANNEL, MAPPINGS_CHANNEL, parseFleetNotice } from "./fleet-notice.ts";
import { FleetReplica } from "./fleet-replica.ts";
import { createFleetService } from "./fleet-service.ts";
import { type FleetSettings, fleetSettings } from "./fleet-settings.ts";

export interface FleetOptions {
  readonly db: Database;
  readonly log: FleetLog;
  readonly clock: Clock;
  /** What is not named takes its default; what the fleet doesn't know is ignored. */
  readonly settings: Partial<FleetSettings>;
  /** Functions with their header values in the clear. */
  readonly functions: FunctionRegistry;
  /** Default: knows no key, so that a mapping with a sealed filter does not run. */
  readonly filters?: Pick<FilterSeal, "open">;
  /** The way to the brokers, behind the address guard. */
  readonly kafkaAdmin: OpenClusterAdmin;
  /** Told how long each look of the leader took. */
  readonly observeLook?: (durationMs: number) => void;
}

/** The fleet's part of one replica of the mapping service. */
export interface Fleet {
  /** Identity of this replica: UUID v4, new with each start. */
  readonly replicaId: string;
  routes(router: ConnectRouter): void;
  /** Once the schema is there. Streams that joined before are served from then on. */
  start(): void;
  stop(): Promise<void>;
  isLeader(): boolean;
}

export function createFleet(options: FleetOptions): Fleet {
  const { db, log, clock, functions, kafkaAdmin } = options;
  const filters = options.filters ?? createFilterSeal(new Map());
  const settings = fleetSettings(options.settings);
  const nowMs = () => clock.nowMs();
  const replicaId = randomUUID();
  const replica = new FleetReplica({
    ...{ db, registry: functions, filters, replicaId, log, settings, nowMs },
  });
  const clusters = new ClusterAdmins({
    open: kafkaAdmin,
    answerMs: settings.brokerAnswerMs,
    nowMs,
    log,
  });
  let leader: Leader | null = null;
  const ending = new Set<Promise<void>>();
  const leadership = new Leadership({
    db,
    leaderId: replicaId,
    leaseMs: settings.leaseMs,
    renewIntervalMs: settings.renewIntervalMs,
    nowMs,
    log,
    onGained: (term) => {
      leader = new Leader({
        ...{ db, term, clusters, settings, filters, nowMs, log },
        ...(options.observeLook && { observeLook: options.observeLook }),
      });
      leader.start();
    },
    onLost: () => {
      const end = leader?.stop().finally(() => ending.delete(end as Promise<void>));
      if (end !== undefined) ending.add(end);
      leader = null;
    },
  });
  const subscriptions: Subscription[] = [];

  function listen(): void {
    subscriptions.push(
      db.listen(MAPPINGS_CHANNEL, {
        onNotify: (id) => leader?.mappingChanged(id),
        onSubscribed: () => leader?.wake(),
      }),
      db.listen(FLEET_CHANNEL, {
        onNotify: (payload) => {
          const kind = parseFleetNotice(payload)?.kind;
          if (kind === "nodes" || kind === "holdings") leader?.wake();
        },
      }),
    );
  }

  return {
    replicaId,
    routes: (router) => {
      router.service(fleet.FleetService, createFleetService(replica));
    },
    start: () => {
      replica.start();
      leadership.start();
      listen();
    },
    stop: async () => {
      for (const subscription of subscriptions) subscription.stop();
      await Promise.all([replica.stop(), leadership.stop()]);
      await Promise.all(ending);
      await clusters.close();
    },
    isLeader: () => leadership.isLeader,
  };
}
