import { Session, type SessionOptions } from "./session.ts";

export interface ListenHandlers {
  /** A notification. Called on the listener's thread of control: hand work over, don't throw. */
  readonly onNotify: (payload: string) => void;
  /** The channel is subscribed, at first and again after each loss: what was said in between is lost, so read anew. */
  readonly onSubscribed?: () => void;
}

export interface Subscription {
  stop(): void;
}

export interface ListenerOptions extends SessionOptions {
  /** How often the connection is tried while nothing arrives. */
  readonly pingMs: number;
  readonly onReachable: (isReachable: boolean, error?: unknown) => void;
}

/**
 * All LISTENs of a process over one connection of its own, opened with the first subscription.
 *
 *   connecting ─▶ subscribed ─(lost, silent)─▶ waiting (100 ms … 2 s) ─▶ connecting …
 *
 * Notifications are hints, never data: a subscriber reads the tables after each of them and after each `onSubscribed`.
 */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #handlers = new Map<string, Set<ListenHandlers>>();
  readonly #end = new AbortController();
  #session: Session | null = null;
  #running: Promise<void> | null = null;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  subscribe(channel: string, handlers: ListenHandlers): Subscription {
    const known = this.#handlers.get(channel) ?? new Set();
    known.add(handlers);
    this.#handlers.set(channel, known);
    if (this.#session?.isAlive) void this.#listenOn(this.#session, channel, [handlers]);
    this.#running ??= this.#run();
    return { stop: () => known.delete(handlers) };
  }

  async close(): Promise<void> {
    this.#end.abort();
    this.#session?.destroy();
    await this.#running;
  }

  async #run(): Promise<void> {
    let waitMs = 100;
    while (!this.#end.signal.aborted) {
      try {
        const session = await this.#open();
        waitMs = 100;
        await this.#watch(session);
      } catch (error) {
        this.#options.onReachable(false, error);
      }
      await this.#pause(waitMs * (0.5 + Math.random()));
      waitMs = Math.min(waitMs * 2, 2_000);
    }
  }

  async #open(): Promise<Session> {
    const session = await Session.open({
      ...this.#options,
      onNotify: (channel, payload) => {
        for (const handlers of this.#handlers.get(channel) ?? []) handlers.onNotify(payload);
      },
      onDead: () => this.#wake?.(),
    });
    this.#session = session;
    if (this.#end.signal.aborted) session.destroy();
    for (const [channel, handlers] of this.#handlers) {
      await this.#listen(session, channel);
      for (const each of handlers) each.onSubscribed?.();
    }
    this.#options.onReachable(true);
    return session;
  }

  /** Returns when the session is dead. */
  async #watch(session: Session): Promise<void> {
    while (session.isAlive) {
      await this.#pause(this.#options.pingMs);
      if (!session.isAlive) return;
      await session.script("select 1");
      this.#options.onReachable(true);
    }
  }

  async #listenOn(session: Session, channel: string, handlers: readonly ListenHandlers[]) {
    try {
      await this.#listen(session, channel);
      for (const each of handlers) each.onSubscribed?.();
    } catch {
      // The loop subscribes every channel anew on the next connection.
      session.destroy();
    }
  }

  async #listen(session: Session, channel: string): Promise<void> {
    await session.script(`listen "${channel.replaceAll('"', '""')}"`);
  }

  #wake: (() => void) | null = null;

  /** Waits; ends early when the session dies or the listener closes. */
  #pause(ms: number): Promise<void> {
    if (this.#end.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#wake = null;
        this.#end.signal.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#wake = wake;
      this.#end.signal.addEventListener("abort", wake);
    });
  }
}
