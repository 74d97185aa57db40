import type { Clock, FunctionSpec } from "@penstock/core";
import type { AddressGuard } from "../address/address-guard.ts";
import { createGuardedConnect } from "../address/guarded-connect.ts";
import { GrpcCaller } from "../grpc/grpc-caller.ts";
import { GrpcChannels } from "../grpc/grpc-channels.ts";
import { HttpCaller } from "../http/http-caller.ts";
import { HttpPools } from "../http/http-pools.ts";
import type { EgressLimits } from "./egress-limits.ts";
import type { FunctionCaller } from "./function-caller.ts";

/** Makes the caller of a function; owns the connections that callers share. */
export class CallerFactory {
  readonly #clock: Clock;
  readonly #pools: HttpPools;
  readonly #channels: GrpcChannels;

  constructor(clock: Clock, guard: AddressGuard, limits: EgressLimits) {
    const { connectTimeoutMs } = limits;
    this.#clock = clock;
    this.#pools = new HttpPools(
      createGuardedConnect(guard, { connectTimeoutMs, alpn: "http/1.1" }),
      { poolsMax: limits.originsMax, connectionsMax: limits.originConnectionsMax },
    );
    this.#channels = new GrpcChannels(
      createGuardedConnect(guard, { connectTimeoutMs, alpn: "h2" }),
      {
        channelsMax: limits.grpcChannelsMax,
      },
    );
  }

  create(spec: FunctionSpec): FunctionCaller {
    const { target } = spec;
    return target.kind === "http"
      ? new HttpCaller(this.#clock, this.#pools, target)
      : new GrpcCaller(this.#clock, this.#channels, target);
  }

  async close(): Promise<void> {
    this.#channels.close();
    await this.#pools.close();
  }
}
