import { InvariantError, PenstockError } from "@penstock/core";
import type { Database, Subscription } from "@penstock/postgres";
import type { fleet } from "@penstock/proto";
import type { FunctionRegistry } from "../functions/function-registry.ts";
import type { FilterSeal } from "../seal/filter-seal.ts";
import { AssignmentFeed } from "./feeds/assignment-feed.ts";
import { FunctionFeed } from "./feeds/function-feed.ts";
import { InvokerFeed } from "./feeds/invoker-feed.ts";
import { ShareFeed } from "./feeds/share-feed.ts";
import type { FleetLog } from "./fleet-log.ts";
import { FLEET_CHANNEL, type FleetNotice, parseFleetNotice } from "./fleet-notice.ts";
import type { FleetServiceParts } from "./fleet-service.ts";
import type { FleetSettings } from "./fleet-settings.ts";
import { HoldingsStore } from "./reports/holdings-store.ts";
import { ProgressStore } from "./reports/progress-store.ts";
import { checkHoldings, checkProgress, checkShareUse } from "./reports/read-progress.ts";
import { requirePollerStream } from "./streams/admit-node.ts";
import type { NodeStream } from "./streams/node-stream.ts";
import { NodeStreams } from "./streams/node-streams.ts";
import { Presence } from "./streams/presence.ts";

export interface FleetReplicaOptions {
  readonly db: Database;
  readonly registry: FunctionRegistry;
  readonly filters: Pick<FilterSeal, "open">;
  readonly replicaId: string;
  readonly log: FleetLog;
  readonly settings: FleetSettings;
  readonly nowMs: () => number;
}

/**
 * One replica's part of the fleet: its streams, what they are told (feeds) and what they say (reports). Any number of replicas do the
 * same; they meet in the tables only. Nothing here decides: that is the leader's.
 *
 *     tables ─▶ feeds ─▶ outbox of each stream ─▶ node ─▶ reports ─▶ tables
 */
export class FleetReplica implements FleetServiceParts {
  readonly sql: Database["sql"];
  readonly #options: FleetReplicaOptions;
  readonly #streams: NodeStreams;
  readonly #presence: Presence;
  readonly #assignments: AssignmentFeed;
  readonly #functions: FunctionFeed;
  readonly #invokers: InvokerFeed;
  readonly #shares: ShareFeed;
  readonly #progress: ProgressStore;
  readonly #holdings: HoldingsStore;
  readonly #ending = new Set<Promise<void>>();
  #subscription: Subscription | null = null;
  #isStopping = false;

  constructor(options: FleetReplicaOptions) {
    const { db, registry, filters, replicaId, log, settings, nowMs } = options;
    this.#options = options;
    this.sql = db.sql;
    const streams = new NodeStreams(settings.streamsMax);
    this.#streams = streams;
    const intervalMs = settings.pollIntervalMs;
    this.#presence = new Presence({
      db,
      streams,
      replicaId,
      log,
      intervalMs: settings.seenIntervalMs,
      onClaimed: (stream) => this.#claimed(stream),
    });
    this.#assignments = new AssignmentFeed({ db, streams, filters, log, intervalMs });
    this.#functions = new FunctionFeed({ registry, streams, log, intervalMs });
    this.#invokers = new InvokerFeed({
      db,
      streams,
      log,
      intervalMs,
      vanishedMs: settings.nodeVanishedMs,
      nowMs,
    });
    this.#shares = new ShareFeed({ db, streams, log, settings, nowMs });
    this.#progress = new ProgressStore(db, log, settings);
    const progressStored = () => this.#progress.stored();
    this.#holdings = new HoldingsStore({
      ...{ db, streams, replicaId, log, intervalMs },
      progressStored,
    });
  }

  start(): void {
    this.#subscription = this.#options.db.listen(FLEET_CHANNEL, {
      onNotify: (payload) => this.#heard(parseFleetNotice(payload)),
      onSubscribed: () => this.#wakeAll(),
    });
    this.#presence.start();
    this.#functions.start();
    this.#invokers.start();
    this.#assignments.start();
    this.#shares.start();
    this.#progress.start();
    this.#holdings.start();
  }

  /** Ends the streams (their nodes join another replica) and stores what they said last. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#subscription?.stop();
    this.#streams.endAll();
    await Promise.all(this.#ending);
    await Promise.all([
      this.#presence.stop(),
      this.#functions.stop(),
      this.#invokers.stop(),
      this.#assignments.stop(),
      this.#shares.stop(),
      this.#holdings.stop(),
      this.#progress.stop(),
    ]);
  }

  joined(stream: NodeStream): void {
    if (this.#isStopping) throw new PenstockError("unavailable", "the service is stopping");
    this.#streams.add(stream);
    stream.outbox.welcome(this.#options.replicaId);
    this.#functions.tell(stream);
    this.#invokers.tell(stream);
    this.#presence.wake();
  }

  received(stream: NodeStream, { message }: fleet.JoinRequest): void {
    if (stream.isReplaced) return;
    switch (message.case) {
      case "holdings":
        requirePollerStream(stream, message.case);
        checkHoldings(message.value);
        stream.holdings = message.value;
        stream.areHoldingsStored = false;
        this.#holdings.wake();
        break;
      case "progress":
        requirePollerStream(stream, message.case);
        checkProgress(message.value);
        this.#progress.add(stream, message.value);
        break;
      case "shareUse":
        checkShareUse(message.value);
        stream.shareUse = message.value.uses;
        break;
      case "hello":
        throw new PenstockError("inUse", "`hello` comes once, as the first request");
      default:
        // Another version says what this one doesn't know.
        break;
    }
  }

  ended(stream: NodeStream, inOrder: boolean): Promise<void> {
    const ending = this.#end(stream, inOrder).finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
    return ending;
  }

  async #end(stream: NodeStream, inOrder: boolean): Promise<void> {
    const { log } = this.#options;
    const { nodeId, kind } = stream.identity;
    log.info("node stream ended", { nodeId, kind, inOrder });
    this.#progress.ended(stream);
    try {
      await this.#holdings.storeNow(stream);
      this.#streams.remove(stream);
      if (inOrder && !this.#isStopping) await this.#presence.left(stream);
    } catch (error) {
      if (error instanceof InvariantError) throw error;
      // Not stored: the node vanishes, and is waited for as one that may still hold what it held.
      this.#streams.remove(stream);
    }
  }

  #claimed(stream: NodeStream): void {
    this.#assignments.wake();
    this.#holdings.wake();
    if (stream.identity.kind === "invoker") this.#invokers.wake();
  }

  #heard(notice: FleetNotice | null): void {
    switch (notice?.kind) {
      case "nodes": {
        const { nodeId, replicaId } = notice;
        const stream = nodeId === undefined ? undefined : this.#streams.get(nodeId);
        if (stream?.isClaimed && replicaId !== this.#options.replicaId) this.#presence.wake();
        this.#invokers.wake();
        break;
      }
      case "assignments":
        this.#assignments.wake();
        break;
      case "shares":
        this.#shares.wake();
        break;
      case "planned":
        this.#announce(notice.groups, notice.durationMs);
        break;
      default:
        break;
    }
  }

  #announce(groups: readonly string[], durationMs: number): void {
    for (const stream of this.#streams.all("poller")) {
      const own = groups.filter((group) => stream.groups.has(group));
      if (own.length > 0) stream.outbox.plannedChange(own, durationMs);
    }
  }

  #wakeAll(): void {
    this.#presence.wake();
    this.#assignments.wake();
    this.#invokers.wake();
    this.#shares.wake();
    this.#holdings.wake();
  }
}
