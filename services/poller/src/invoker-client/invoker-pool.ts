import type { Clock, FunctionCall, InvokeOutcome, Invoker } from "@penstock/core";
import { type ClientSecurity, parseAddress } from "@penstock/runtime";
import { type ClientLog, InvokeStreamClient } from "./invoke-stream-client.ts";
import type { KeepAlive } from "./stream-session.ts";

/**
 * The invoker port over the network: as many invokers as the fleet has, the least loaded one for each call.
 *
 * A call that finds no room waits, first come first served, for a bounded time; it is written to the first invoker that has room and to no second one. What
 * was not written in time was not made.
 */
export interface InvokerPoolOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: ClientLog;
  /** Default: in the clear, without credentials. */
  readonly security?: ClientSecurity;
  /** Longest wait for a connected invoker with room, ms; default 5 s. */
  readonly waitMaxMs?: number;
  /** Calls that may wait; default 10 000. */
  readonly waitingMax?: number;
  readonly keepAlive?: KeepAlive;
  readonly backoffMinMs?: number;
  readonly backoffMaxMs?: number;
}

interface WaitingCall {
  readonly call: FunctionCall;
  readonly done: (outcome: InvokeOutcome) => void;
  readonly untilMs: number;
}

const WAIT_MAX_MS = 5_000;
const WAITING_MAX = 10_000;

export class InvokerPool implements Invoker {
  readonly #options: InvokerPoolOptions;
  readonly #clients = new Map<string, InvokeStreamClient>();
  /** Clients that are no longer in the set and finish their calls. */
  readonly #retiring = new Set<InvokeStreamClient>();
  readonly #waiting = new Set<WaitingCall>();
  #waitTimer: NodeJS.Timeout | null = null;
  #turn = 0;
  #isClosed = false;

  constructor(options: InvokerPoolOptions) {
    this.#options = options;
  }

  /**
   * The invokers to use from now on. Calls at one that is not named any more end where they are. An empty set changes
   * nothing: a fleet that knows no invoker is no reason to leave the ones that work.
   */
  setInvokers(invokers: readonly { readonly address: string }[]): void {
    if (this.#isClosed || invokers.length === 0) return;
    const wanted = new Set(invokers.map(({ address }) => address));
    for (const [address, client] of this.#clients) {
      if (wanted.has(address)) continue;
      this.#clients.delete(address);
      this.#retiring.add(client);
      client.retire();
    }
    for (const address of wanted) if (!this.#clients.has(address)) this.#add(address);
    this.#serve();
  }

  /** Invokers and how they are connected, for metrics and the API. */
  *connections(): Iterable<{ address: string; state: string; unanswered: number }> {
    for (const { address, state, unanswered } of this.#clients.values()) {
      yield { address, state, unanswered };
    }
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  invoke(call: FunctionCall): Promise<InvokeOutcome> {
    return new Promise((resolve) => {
      const client = this.#waiting.size === 0 ? this.#leastLoaded() : null;
      if (client !== null) client.start(call, resolve);
      else this.#wait(call, resolve);
    });
  }

  /** Settles everything at once and lets go of all connections. */
  close(): void {
    this.#isClosed = true;
    if (this.#waitTimer !== null) clearTimeout(this.#waitTimer);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const { done } of waiting) done(notMade("the poller closes"));
    for (const client of [...this.#clients.values(), ...this.#retiring]) client.close();
    this.#clients.clear();
  }

  #add(address: string): void {
    const parsed = parseAddress(address);
    if (parsed === null) {
      this.#options.log.warn("invoker address is not host:port", { address });
      return;
    }
    const { clock, random, log, security, keepAlive, backoffMinMs, backoffMaxMs } = this.#options;
    const client = new InvokeStreamClient({
      address,
      ...parsed,
      clock,
      random,
      log,
      ...(security === undefined ? {} : { security }),
      ...(keepAlive === undefined ? {} : { keepAlive }),
      ...(backoffMinMs === undefined ? {} : { backoffMinMs }),
      ...(backoffMaxMs === undefined ? {} : { backoffMaxMs }),
      changed: () => this.#serve(),
      retired: (done) => this.#retiring.delete(done),
    });
    this.#clients.set(address, client);
  }

  /** Among equals they take turns. */
  #leastLoaded(): InvokeStreamClient | null {
    let best: InvokeStreamClient | null = null;
    let position = 0;
    let bestDistance = 0;
    const count = this.#clients.size;
    this.#turn = count === 0 ? 0 : (this.#turn + 1) % count;
    for (const client of this.#clients.values()) {
      const distance = (position++ - this.#turn + count) % count;
      if (!client.hasRoom) continue;
      const isBetter =
        best === null ||
        client.unanswered < best.unanswered ||
        (client.unanswered === best.unanswered && distance < bestDistance);
      if (!isBetter) continue;
      best = client;
      bestDistance = distance;
    }
    return best;
  }

  #wait(call: FunctionCall, done: (outcome: InvokeOutcome) => void): void {
    if (this.#isClosed || this.#waiting.size >= (this.#options.waitingMax ?? WAITING_MAX)) {
      done(notMade("too many calls wait for an invoker"));
      return;
    }
    const waitMs = this.#options.waitMaxMs ?? WAIT_MAX_MS;
    const untilMs = this.#options.clock.nowMs() + waitMs;
    this.#waiting.add({ call, done, untilMs });
    this.#waitTimer ??= setTimeout(() => this.#expire(), waitMs);
  }

  #serve(): void {
    if (this.#waiting.size === 0) return;
    const nowMs = this.#options.clock.nowMs();
    for (const waiting of this.#waiting) {
      // After a pause of this process the timer may be late; the caller's right to make the call may be gone.
      if (waiting.untilMs < nowMs) {
        this.#waiting.delete(waiting);
        waiting.done(notMade("no invoker with room was connected in time"));
        continue;
      }
      const client = this.#leastLoaded();
      if (client === null) return;
      this.#waiting.delete(waiting);
      client.start(waiting.call, waiting.done);
    }
  }

  /** All wait equally long, so the first in the queue is the first to go: one timer serves all. */
  #expire(): void {
    this.#waitTimer = null;
    const nowMs = this.#options.clock.nowMs();
    for (const waiting of this.#waiting) {
      const leftMs = waiting.untilMs - nowMs;
      if (leftMs > 0) {
        this.#waitTimer = setTimeout(() => this.#expire(), Math.ceil(leftMs));
        return;
      }
      this.#waiting.delete(waiting);
      waiting.done(notMade("no invoker with room is connected"));
    }
  }
}

function notMade(message: string): InvokeOutcome {
  return { kind: "connectionLost", mayHaveRun: false, message };
}
