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
} from "./generated/grpc/health/v1/health_pb.ts";

export interface HealthState {
  set(isServing: boolean): void;
  readonly service: ServiceImpl<typeof Health>;
}

export function createHealth(serviceNames: readonly string[]): HealthState {
  const known = new Set(["", ...serviceNames]);
  const watchers = new Set<() => void>();
  let isServing = true;

  const answer = (name: string): HealthCheckResponse => {
    const status = isServing ? Status.SERVING : Status.NOT_SERVING;
    return create(HealthCheckResponseSchema, {
      status: known.has(name) ? status : Status.SERVICE_UNKNOWN,
    });
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
        watchers.add(onEvent);
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
          watchers.delete(onEvent);
          context.signal.removeEventListener("abort", onEvent);
        }
      },
    },
  };
}
