import { Pool } from "undici";
import type { GuardedConnect } from "../address/guarded-connect.ts";

/**
 * undici pools, one for each origin, bounded in number; the one that was idle longest makes room. A pool opens a connection for each call
 * at once, up to its limit, and closes idle ones after seconds. Proxy variables are not looked at.
 */
export class HttpPools {
  readonly #connect: GuardedConnect;
  readonly #poolsMax: number;
  readonly #connectionsMax: number;
  /** In order of use: the first was used longest ago. */
  readonly #pools = new Map<string, Pool>();
  #last: { origin: string; pool: Pool } | null = null;

  constructor(connect: GuardedConnect, limits: { poolsMax: number; connectionsMax: number }) {
    this.#connect = connect;
    this.#poolsMax = limits.poolsMax;
    this.#connectionsMax = limits.connectionsMax;
  }

  poolOf(origin: string): Pool {
    if (this.#last?.origin === origin) return this.#last.pool;
    let pool = this.#pools.get(origin);
    if (pool === undefined) {
      this.#makeRoom();
      pool = this.#open(origin);
    } else {
      this.#pools.delete(origin);
    }
    this.#pools.set(origin, pool);
    this.#last = { origin, pool };
    return pool;
  }

  get size(): number {
    return this.#pools.size;
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    this.#last = null;
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #makeRoom(): void {
    if (this.#pools.size < this.#poolsMax) return;
    for (const [origin, pool] of this.#pools) {
      if (pool.stats.size > 0 && this.#pools.size < this.#poolsMax * 2) continue;
      this.#pools.delete(origin);
      if (this.#last?.pool === pool) this.#last = null;
      // Closes when its calls have ended; nobody waits for it.
      pool.close().catch(ignoreClosed);
      if (this.#pools.size < this.#poolsMax) return;
    }
  }

  #open(origin: string): Pool {
    const { protocol, hostname, port } = new URL(origin);
    const host = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
    const isTls = protocol === "https:";
    return new Pool(origin, {
      connections: this.#connectionsMax,
      pipelining: 1,
      allowH2: false,
      // Each exchange has one deadline of its own over everything.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (options, callback) => {
        const target = {
          protocol: isTls ? ("https:" as const) : ("http:" as const),
          hostname: host,
          port: port === "" ? (isTls ? 443 : 80) : Number(port),
          servername: options.servername ?? null,
        };
        this.#connect(target, (error, socket) => {
          if (error !== null || socket === null) callback(error ?? new Error("no socket"), null);
          else callback(null, socket);
        });
      },
    });
  }
}

/** Closing a pool that is already destroyed is what was wanted. */
function ignoreClosed(): void {}
