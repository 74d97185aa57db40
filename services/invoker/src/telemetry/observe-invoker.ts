import type { CallObserver, FunctionInvoker } from "@penstock/egress";
import {
  createHistogram,
  METRICS,
  type Observation,
  observeMetric,
  type Telemetry,
} from "@penstock/runtime";

/** Records the end of each call. */
export function createCallObserver(telemetry: Telemetry): CallObserver {
  const durations = createHistogram(telemetry.meter, METRICS.invocationSeconds);
  return {
    ended: (functionName, { outcome, durationMs }) => {
      durations.record(durationMs / 1000, { function: functionName, outcome: outcome.kind });
    },
  };
}

/** Reads the slots of functions and the number of streams when metrics are collected. */
export function observeInvoker(
  telemetry: Telemetry,
  invoker: FunctionInvoker,
  streams: () => number,
): void {
  const { meter } = telemetry;
  observeMetric(meter, METRICS.invocationsInFlight, () =>
    map(invoker, (use) => [use.inFlight, { function: use.functionName }]),
  );
  observeMetric(meter, METRICS.invocationsWaiting, () =>
    map(invoker, (use) => [use.waiting, { function: use.functionName }]),
  );
  observeMetric(meter, METRICS.invocationsMax, () =>
    [...invoker.use()]
      .filter((use) => use.isLimited)
      .map((use): Observation => [use.callsMax, { function: use.functionName }]),
  );
  observeMetric(meter, METRICS.streams, () => [
    [streams(), { kind: "invoke", peer: "poller", state: "open" }],
  ]);
}

type Use = ReturnType<FunctionInvoker["use"]> extends Iterable<infer One> ? One : never;

function map(invoker: FunctionInvoker, read: (use: Use) => Observation): Observation[] {
  return [...invoker.use()].map(read);
}
