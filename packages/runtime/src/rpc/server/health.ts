/**
 * `grpc.health.v1`: the server and each of its services serve, or don't, all together.
 */
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import {
  type Health,
  type HealthCheckResponse,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as Status,
} from "../generated/grpc/health/v1/health_pb.ts";
import { peerOf } from "./peer.ts";

/** Open `Watch` calls: nobody has to authenticate for one, and it lasts. */
export interface HealthWatchersMax {
  readonly ofConnection: number;
  readonly inAll: number;
}

const WATCHERS_MAX: HealthWatchersMax = { ofConnection: 16, inAll: 1000 };

export interface HealthState {
  set(isServing: boolean): void;
  readonly service: ServiceImpl<typeof Health>;
}

export function createHealth(
  serviceNames: readonly string[],
  watchersMax = WATCHERS_MAX,
): HealthState {
  const known = new Set(["", ...serviceNames]);
  const watchers = new Set<() => void>();
  const ofConnections = new WeakMap<object, number>();
  let isServing = true;

  const answer = (name: string): HealthCheckResponse => {
    const status = isServing ? Status.SERVING : Status.NOT_SERVING;
    return create(HealthCheckResponseSchema, {
      status: known.has(name) ? status : Status.SERVICE_UNKNOWN,
    });
  };

  /** @returns leaves */
  const enter = (connection: object, onEvent: () => void): (() => void) => {
    const count = ofConnections.get(connection) ?? 0;
    if (count >= watchersMax.ofConnection || watchers.size >= watchersMax.inAll) {
      throw new ConnectError("too many calls watch the health", Code.ResourceExhausted);
    }
    ofConnections.set(connection, count + 1);
    watchers.add(onEvent);
    return () => {
      watchers.delete(onEvent);
      ofConnections.set(connection, (ofConnections.get(connection) ?? 1) - 1);
    };
  };

  return {
    set(value) {
      isServing = value;
      for (const wake of watchers) wake();
    },
    service: {
      check({ service }) {
        if (!known.has(service)) throw new ConnectError("no such service", Code.NotFound);
        return answer(service);
      },
      list: () => ({
        statuses: Object.fromEntries([...known].map((name) => [name, answer(name)])),
      }),
      async *watch({ service }, context) {
        let wake = (): void => {};
        const onEvent = (): void => wake();
        const leave = enter(peerOf(context).connection ?? context, onEvent);
        context.signal.addEventListener("abort", onEvent);
        try {
          let last: Status | null = null;
          while (!context.signal.aborted) {
            const next = new Promise<void>((resolve) => {
              wake = resolve;
            });
            const now = answer(service);
            if (now.status !== last) {
              last = now.status;
              yield now;
            }
            if (context.signal.aborted || answer(service).status !== last) continue;
            await next;
          }
          throw context.signal.reason;
        } finally {
          leave();
          context.signal.removeEventListener("abort", onEvent);
        }
      },
    },
  };
}
