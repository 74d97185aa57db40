import type { GuardedConnect } from "../address/guarded-connect.ts";
import { GrpcSession } from "./grpc-session.ts";

/** Somebody who wants a connection: gets a session with room, or the reason why there is none. */
export interface SessionSeeker {
  readonly isDone: boolean;
  found(session: GrpcSession): void;
  failed(error: Error): void;
}

/**
 * The connections to one gRPC server: as many sessions as its limit of concurrent streams makes necessary, opened one at a time
 * when somebody waits. Each new one looks the name up again, and the guard checks what it dials.
 */
export class GrpcChannel {
  readonly #target: GrpcAddress;
  readonly #connect: GuardedConnect;
  readonly #sessions: GrpcSession[] = [];
  #seekers: SessionSeeker[] = [];
  #isConnecting = false;
  #isClosed = false;

  constructor(target: GrpcAddress, connect: GuardedConnect) {
    this.#target = target;
    this.#connect = connect;
  }

  get isIdle(): boolean {
    return this.#sessions.length === 0 && this.#seekers.length === 0;
  }

  seek(seeker: SessionSeeker): void {
    const session = this.#sessions.find((candidate) => candidate.hasRoom);
    if (session !== undefined) {
      seeker.found(session);
      return;
    }
    this.#seekers.push(seeker);
    this.#open();
  }

  close(): void {
    this.#isClosed = true;
    for (const session of this.#sessions) session.retire();
  }

  #open(): void {
    if (this.#isConnecting || this.#sessions.length >= SESSIONS_MAX) return;
    this.#isConnecting = true;
    const { host, port, isTls, authority } = this.#target;
    const protocol = isTls ? "https:" : "http:";
    this.#connect({ protocol, hostname: host, port }, (error, socket) => {
      if (error !== null || socket === null) {
        this.#failed(error ?? new Error("no socket"));
        return;
      }
      if ("alpnProtocol" in socket && isTls && socket.alpnProtocol !== "h2") {
        socket.destroy();
        this.#failed(Object.assign(new Error("no h2"), { code: "ERR_ALPN" }));
        return;
      }
      GrpcSession.open(authority, isTls, socket, SETTINGS_WAIT_MS, {
        ready: (session) => this.#ready(session),
        failed: (cause) => this.#failed(cause),
        free: () => this.#serve(),
        closed: (session) => this.#closed(session),
      });
    });
  }

  #ready(session: GrpcSession): void {
    this.#isConnecting = false;
    this.#sessions.push(session);
    this.#serve();
    if (this.#isClosed) session.retire();
  }

  #failed(error: Error): void {
    this.#isConnecting = false;
    // With another session open they wait for room there; without one there is nothing to wait for.
    if (this.#sessions.some((session) => !session.isSpent)) return;
    const seekers = this.#seekers;
    this.#seekers = [];
    for (const seeker of seekers) seeker.failed(error);
  }

  #closed(session: GrpcSession): void {
    const at = this.#sessions.indexOf(session);
    if (at >= 0) this.#sessions.splice(at, 1);
    this.#serve();
  }

  #serve(): void {
    this.#seekers = this.#seekers.filter((seeker) => !seeker.isDone);
    while (this.#seekers.length > 0) {
      const session = this.#sessions.find((candidate) => candidate.hasRoom);
      if (session === undefined) {
        this.#open();
        return;
      }
      this.#seekers.shift()?.found(session);
    }
  }
}

const SESSIONS_MAX = 16;
const SETTINGS_WAIT_MS = 10_000;

/** Where a gRPC function is: host:port and nothing else. */
export interface GrpcAddress {
  /** Name or address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** `host:port` as it stands in `:authority`. */
  readonly authority: string;
}

/** Channels by target, bounded in number: the one that was used longest ago makes room. */
export class GrpcChannels {
  readonly #connect: GuardedConnect;
  readonly #channelsMax: number;
  readonly #channels = new Map<string, GrpcChannel>();

  constructor(connect: GuardedConnect, limits: { channelsMax: number }) {
    this.#connect = connect;
    this.#channelsMax = limits.channelsMax;
  }

  channelOf(target: GrpcAddress): GrpcChannel {
    const key = `${target.isTls ? "tls" : "tcp"}:${target.authority}`;
    const known = this.#channels.get(key);
    const channel = known ?? new GrpcChannel(target, this.#connect);
    this.#channels.delete(key);
    this.#channels.set(key, channel);
    if (known === undefined && this.#channels.size > this.#channelsMax) this.#evict();
    return channel;
  }

  close(): void {
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
  }

  #evict(): void {
    for (const [key, channel] of this.#channels) {
      this.#channels.delete(key);
      channel.close();
      return;
    }
  }
}
