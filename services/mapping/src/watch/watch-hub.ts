import { toBinary } from "@bufbuild/protobuf";
import { type ArnScope, PenstockError } from "@penstock/core";
import type { Database, Subscription } from "@penstock/postgres";
import { mapping } from "@penstock/proto";
import { mappingMessage } from "../api/mapping-messages.ts";
import { MAPPINGS_CHANNEL } from "../fleet/fleet-notice.ts";
import type { FilterSeal } from "../seal/filter-seal.ts";
import { MAPPING_MISSING } from "../store/find-mapping.ts";
import { readMappingViews } from "../store/mapping-views.ts";
import { LatestMessage } from "./latest-message.ts";

type Message = mapping.EventSourceMapping;

export interface WatchHubOptions {
  readonly db: Database;
  readonly scope: ArnScope;
  readonly filters: FilterSeal;
  /** Most open watches; more are refused. Default 1 000. */
  readonly watchersMax?: number;
  /** How often positions are looked at. Default 1 s. */
  readonly intervalMs?: number;
}

/**
 * All watches of a process over one LISTEN and one reader, however many there are.
 *
 *   notification ─▶ read that mapping ─┐
 *   every second ─▶ read all watched ──┴▶ changed? ─▶ latest message of each watcher (older ones are dropped)
 *
 * While the database is away watches stay open and silent. A mapping that is gone ends its watches, after a last message in state
 * DELETING.
 */
export class WatchHub {
  readonly #options: WatchHubOptions;
  readonly #watchers = new Map<string, Set<LatestMessage<Message>>>();
  readonly #subscription: Subscription;
  readonly #timer: NodeJS.Timeout;
  readonly #dirty = new Set<string>();
  #count = 0;
  #reading: Promise<void> | null = null;
  #isClosed = false;

  constructor(options: WatchHubOptions) {
    this.#options = options;
    this.#subscription = options.db.listen(MAPPINGS_CHANNEL, {
      onNotify: (id) => this.#touch([id]),
      onSubscribed: () => this.#touch(this.#watchers.keys()),
    });
    this.#timer = setInterval(
      () => this.#touch(this.#watchers.keys()),
      options.intervalMs ?? 1_000,
    );
    this.#timer.unref();
  }

  /**
   * The mapping now and after each change, until it is gone or `signal` aborts.
   *
   * @param afterRevision the settings that the watcher knows: it is not told what it is while they are still those and the state is settled
   */
  async *watch(
    id: string,
    signal: AbortSignal,
    afterRevision?: bigint | undefined,
  ): AsyncGenerator<Message> {
    const max = this.#options.watchersMax ?? 1_000;
    if (this.#isClosed) throw stopping();
    if (this.#count >= max) {
      throw new PenstockError("limitExceeded", `Too many watches are open: at most ${max}.`);
    }
    this.#count++;
    const latest = new LatestMessage<Message>(areEqualMessages);
    const end = () => latest.end();
    signal.addEventListener("abort", end);
    try {
      // Registered before the first read, so that no change falls in between.
      this.#add(id, latest);
      const first = await this.#read([id]);
      const now = first.get(id);
      if (!now) throw new PenstockError("notFound", MAPPING_MISSING);
      if (isKnown(now, afterRevision)) latest.start(now);
      else latest.putFirst(now);
      if (signal.aborted) return;
      yield* latest.read();
      if (this.#isClosed) throw stopping();
    } finally {
      signal.removeEventListener("abort", end);
      this.#remove(id, latest);
      this.#count--;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#subscription.stop();
    for (const watchers of this.#watchers.values()) for (const each of watchers) each.end();
    await this.#reading;
  }

  #touch(ids: Iterable<string>): void {
    for (const id of ids) if (this.#watchers.has(id)) this.#dirty.add(id);
    if (this.#dirty.size > 0 && !this.#isClosed) this.#reading ??= this.#publish();
  }

  async #publish(): Promise<void> {
    try {
      while (this.#dirty.size > 0 && !this.#isClosed) {
        const ids = [...this.#dirty];
        this.#dirty.clear();
        const messages = await this.#read(ids);
        for (const id of ids) this.#deliver(id, messages.get(id));
      }
    } catch (error) {
      // The next tick reads again; the pool has logged that the database is away.
      if (!(error instanceof PenstockError)) throw error;
      this.#dirty.clear();
    } finally {
      this.#reading = null;
    }
  }

  #deliver(id: string, message: Message | undefined): void {
    for (const watcher of this.#watchers.get(id) ?? []) {
      if (message) watcher.put(message);
      else watcher.finish((last) => ({ ...last, state: mapping.MappingState.DELETING }));
    }
  }

  async #read(ids: readonly string[]): Promise<Map<string, Message>> {
    const { db, scope, filters } = this.#options;
    const views = await readMappingViews(db, filters, ids);
    return new Map([...views].map(([id, view]) => [id, mappingMessage(view, scope)]));
  }

  #add(id: string, watcher: LatestMessage<Message>): void {
    const watchers = this.#watchers.get(id) ?? new Set();
    watchers.add(watcher);
    this.#watchers.set(id, watchers);
  }

  #remove(id: string, watcher: LatestMessage<Message>): void {
    const watchers = this.#watchers.get(id);
    watchers?.delete(watcher);
    if (watchers?.size === 0) this.#watchers.delete(id);
  }
}

function isKnown({ revision, state }: Message, afterRevision: bigint | undefined): boolean {
  const { ENABLED, DISABLED } = mapping.MappingState;
  return revision === afterRevision && (state === ENABLED || state === DISABLED);
}

/** Whether two messages say the same. */
export function areEqualMessages(a: Message, b: Message): boolean {
  const bytes = (message: Message) => toBinary(mapping.EventSourceMappingSchema, message);
  return Buffer.compare(bytes(a), bytes(b)) === 0;
}

function stopping(): PenstockError {
  return new PenstockError("unavailable", "The mapping service is stopping: watch again.");
}
