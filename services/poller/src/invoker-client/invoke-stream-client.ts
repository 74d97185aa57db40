import type { Clock, FunctionCall, InvokeOutcome } from "@penstock/core";
import { PAUSE_MIN_MS, type StreamResponse } from "@penstock/egress";
import { Backoff, type ClientSecurity } from "@penstock/runtime";
import { type KeepAlive, StreamSession } from "./stream-session.ts";

/**
 * The calls to one invoker over one stream that is kept up.
 *
 *   connecting ──settings──▶ open ──GOAWAY──▶ draining ──last answer──▶ waiting ──back-off──▶ connecting
 *        └───────────break──────┴──────break─────┴─────────────────────────▲
 *
 * A call is handed over only when it can be written at once (`hasRoom`), so a call that is here may have reached the invoker. When
 * the stream breaks under it, nobody can say whether it runs: it is settled as lost once its deadline has passed on the invoker's side too, counted from
 * the latest moment at which the invoker can have taken it up. An answer after that belongs to no call.
 */
export interface InvokeStreamClientOptions {
  readonly address: string;
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  /** 0 to 1, for the jitter of the back-off. */
  readonly random: () => number;
  readonly log: ClientLog;
  readonly security?: ClientSecurity;
  readonly keepAlive?: KeepAlive;
  readonly backoffMinMs?: number;
  readonly backoffMaxMs?: number;
  /** There is room, or the connection changed. */
  readonly changed: () => void;
  /** A client that was retired has nothing left to do. */
  readonly retired: (client: InvokeStreamClient) => void;
}

export interface ClientLog {
  info(msg: string, fields?: object): void;
  warn(msg: string, fields?: object): void;
}

export type ClientState = "connecting" | "open" | "draining" | "waiting" | "closed";

interface SentCall {
  readonly done: (outcome: InvokeOutcome) => void;
  readonly sentAtMs: number;
  readonly timeoutMs: number;
}

const KEEP_ALIVE: KeepAlive = { intervalMs: 5_000, timeoutMs: 5_000 };
/** A call that an intact stream leaves unanswered for so long after its deadline shows a broken invoker. */
const OVERDUE_MS = 30_000;
const OVERDUE_CHECK_MS = 5_000;
const STABLE_MS = 5_000;

export class InvokeStreamClient {
  readonly address: string;
  readonly #options: InvokeStreamClientOptions;
  readonly #keepAlive: KeepAlive;
  readonly #backoff: Backoff;
  readonly #overdueTimer: NodeJS.Timeout;
  /** Written to the present session and unanswered. */
  readonly #sent = new Map<number, SentCall>();
  /** Written to a session that broke, waiting for their deadline. */
  readonly #lost = new Map<SentCall, NodeJS.Timeout>();
  #session: StreamSession | null = null;
  #retryTimer: NodeJS.Timeout | null = null;
  #state: ClientState = "connecting";
  #window = 0;
  #nextId = 1;
  #openedAtMs = 0;
  #isRetiring = false;

  constructor(options: InvokeStreamClientOptions) {
    this.address = options.address;
    this.#options = options;
    this.#keepAlive = options.keepAlive ?? KEEP_ALIVE;
    this.#backoff = new Backoff(
      options.backoffMinMs ?? 100,
      options.backoffMaxMs ?? 5_000,
      options.random,
    );
    this.#overdueTimer = setInterval(() => this.#checkOverdue(), OVERDUE_CHECK_MS);
    this.#overdueTimer.unref();
    this.#connect();
  }

  get state(): ClientState {
    return this.#state;
  }

  /** Calls without an answer, on the present stream. */
  get unanswered(): number {
    return this.#sent.size;
  }

  get hasRoom(): boolean {
    return (
      this.#state === "open" &&
      !this.#isRetiring &&
      this.#sent.size < this.#window &&
      this.#session?.hasRoom === true
    );
  }

  /** Writes a call. Only while there is room. */
  start(call: FunctionCall, done: (outcome: InvokeOutcome) => void): void {
    const session = this.#session;
    if (session === null || !this.hasRoom) {
      done({ kind: "connectionLost", mayHaveRun: false, message: "no connection to the invoker" });
      return;
    }
    const id = this.#nextId++;
    const { timeoutMs } = call;
    this.#sent.set(id, { done, sentAtMs: this.#options.clock.nowMs(), timeoutMs });
    session.send(id, call);
  }

  /** Takes no more calls; ends after the last answer. */
  retire(): void {
    this.#isRetiring = true;
    if (this.#session === null || this.#sent.size === 0) this.#end();
  }

  /** Ends at once. Calls without an answer are settled now: the process is about to end, or does not care. */
  close(): void {
    const left = [...this.#sent.values(), ...this.#lost.keys()];
    for (const timer of this.#lost.values()) clearTimeout(timer);
    this.#sent.clear();
    this.#lost.clear();
    this.#isRetiring = true;
    this.#end();
    for (const call of left) call.done(lostOutcome("the poller closes"));
  }

  #connect(): void {
    this.#state = "connecting";
    this.#retryTimer = null;
    const session: StreamSession = new StreamSession(this.#options, this.#keepAlive, {
      response: (response) => this.#receive(response),
      drained: () => this.#options.changed(),
      draining: () => this.#drain(),
      closed: (reason) => this.#closed(session, reason),
    });
    this.#session = session;
  }

  #receive(response: StreamResponse): void {
    if ("settings" in response) {
      this.#window = response.settings.callsInFlightMax;
      if (this.#state !== "connecting") return;
      this.#state = "open";
      this.#openedAtMs = this.#options.clock.nowMs();
      this.#options.log.info("connected to invoker", { address: this.address });
      this.#options.changed();
      return;
    }
    const call = this.#sent.get(response.correlationId);
    if (call === undefined) return;
    this.#sent.delete(response.correlationId);
    call.done(response.outcome);
    if (this.#sent.size === 0 && (this.#isRetiring || this.#state === "draining")) {
      this.#session?.finish();
    }
    this.#options.changed();
  }

  #drain(): void {
    if (this.#state === "open" || this.#state === "connecting") this.#state = "draining";
    if (this.#sent.size === 0) this.#session?.finish();
    this.#options.changed();
  }

  #closed(session: StreamSession, reason: string): void {
    if (this.#session !== session) return;
    this.#session = null;
    const nowMs = this.#options.clock.nowMs();
    const wasOpen = this.#state === "open" || this.#state === "draining";
    for (const call of this.#sent.values()) this.#lose(call, nowMs, reason);
    const lost = this.#sent.size;
    this.#sent.clear();
    if (this.#state === "closed") return;
    this.#state = "waiting";
    if (this.#isRetiring) {
      this.#end();
      return;
    }
    if (wasOpen && nowMs - this.#openedAtMs >= STABLE_MS) this.#backoff.reset();
    const delayMs = Math.round(this.#backoff.next());
    const fields = { address: this.address, reason, delayMs, lost };
    if (wasOpen) this.#options.log.warn("connection to invoker lost", fields);
    this.#retryTimer = setTimeout(() => this.#connect(), delayMs);
    this.#options.changed();
  }

  /**
   * Waits out the call's deadline. The invoker counts from the moment it takes the call up: at the latest when the connection broke or, because
   * a PING answered later than that would have shown it, one keep-alive round after the call was written; and it may stand
   * still for a moment without noticing.
   */
  #lose(call: SentCall, brokeAtMs: number, reason: string): void {
    const { intervalMs, timeoutMs } = this.#keepAlive;
    const onWayMs = Math.min(brokeAtMs - call.sentAtMs, intervalMs + timeoutMs);
    const settleAtMs = call.sentAtMs + onWayMs + call.timeoutMs + PAUSE_MIN_MS;
    const timer = setTimeout(
      () => {
        this.#lost.delete(call);
        call.done(lostOutcome(reason));
        if (this.#isRetiring) this.#end();
      },
      Math.max(0, settleAtMs - brokeAtMs),
    );
    this.#lost.set(call, timer);
  }

  #checkOverdue(): void {
    const nowMs = this.#options.clock.nowMs();
    for (const { sentAtMs, timeoutMs } of this.#sent.values()) {
      if (nowMs - sentAtMs < timeoutMs + OVERDUE_MS) continue;
      this.#session?.break("the invoker left a call unanswered");
      return;
    }
  }

  #end(): void {
    if (this.#state !== "closed") {
      this.#state = "closed";
      if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
      clearInterval(this.#overdueTimer);
      const session = this.#session;
      this.#session = null;
      session?.break("closed");
    }
    if (this.#lost.size === 0) this.#options.retired(this);
  }
}

function lostOutcome(reason: string): InvokeOutcome {
  return {
    kind: "connectionLost",
    mayHaveRun: true,
    message: `the connection to the invoker broke during the call (${reason})`,
  };
}
