import type { FunctionCall, InvokeOutcome, Invoker } from "@penstock/core";
import type { SeededRandom } from "@penstock/testkit";
import type { VirtualTime } from "./virtual-time.ts";

/** What the function saw: one entry for each call, in the order of arrival. */
export interface SeenCall {
  readonly startMs: number;
  endMs: number;
  outcome: InvokeOutcome["kind"] | "pending";
  readonly request: string;
  readonly attempt: number;
  /** Offsets by partition. */
  readonly records: ReadonlyMap<number, readonly number[]>;
}

/** A function that fails in every way that the port knows, and remembers each call. */
export class SimulatedFunction implements Invoker {
  readonly calls: SeenCall[] = [];
  isHealthy = false;
  readonly #random: SeededRandom;
  readonly #time: VirtualTime;

  constructor(random: SeededRandom, time: VirtualTime) {
    this.#random = random;
    this.#time = time;
  }

  invoke(call: FunctionCall): Promise<InvokeOutcome> {
    const event = JSON.parse(call.payload.toString()) as {
      records: Record<string, { partition: number; offset: number; value: string }[]>;
    };
    const records = new Map<number, number[]>();
    for (const group of Object.values(event.records)) {
      for (const { partition, offset, value } of group) {
        if (Buffer.from(value, "base64").toString() !== String(offset)) {
          throw new Error(`offset ${offset} came with the value of another record`);
        }
        let offsets = records.get(partition);
        if (offsets === undefined) {
          offsets = [];
          records.set(partition, offsets);
        }
        offsets.push(offset);
      }
    }
    const outcome = this.#outcome();
    const seen: SeenCall = {
      startMs: this.#time.nowMs(),
      endMs: Number.POSITIVE_INFINITY,
      outcome: "pending",
      request: call.requestId,
      attempt: call.attempt,
      records,
    };
    this.calls.push(seen);
    return new Promise((resolve) => {
      this.#time.after(this.#random.below(60), () => {
        seen.endMs = this.#time.nowMs();
        seen.outcome = outcome.kind;
        resolve(outcome);
      });
    });
  }

  #outcome(): InvokeOutcome {
    const message = "simulated";
    const roll = this.isHealthy ? 1 : this.#random.next();
    if (roll < 0.08) return { kind: "functionError", statusCode: 500, message };
    if (roll < 0.12) return { kind: "throttled", retryAfterMs: null, message };
    if (roll < 0.15) return { kind: "unreachable", message };
    if (roll < 0.17) return { kind: "connectionLost", mayHaveRun: true, message };
    if (roll < 0.19) return { kind: "timeout", message };
    if (roll < 0.21) return { kind: "staleFunction", message };
    return { kind: "success" };
  }
}
