import type { Clock, FunctionCall, FunctionTarget } from "@penstock/core";
import type { CallTerms, FunctionCaller } from "../invoker/function-caller.ts";
import type { CallResult } from "../outcome/call-result.ts";
import { HttpExchange } from "./http-exchange.ts";
import type { HttpPools } from "./http-pools.ts";
import { type HttpTarget, headersOfCall, httpTargetOf } from "./http-target.ts";

/** Calls one HTTP function: POST of the payload as it stands. */
export class HttpCaller implements FunctionCaller {
  readonly #clock: Clock;
  readonly #pools: HttpPools;
  readonly #target: HttpTarget;

  constructor(clock: Clock, pools: HttpPools, target: Extract<FunctionTarget, { kind: "http" }>) {
    this.#clock = clock;
    this.#pools = pools;
    this.#target = httpTargetOf(target);
  }

  start(call: FunctionCall, terms: CallTerms, done: (result: CallResult) => void): void {
    const exchange = new HttpExchange(this.#clock, terms, done);
    const request = {
      method: "POST" as const,
      path: this.#target.path,
      headers: headersOfCall(this.#target, call, this.#clock.wallMs() + terms.timeoutMs),
      body: call.payload,
    };
    try {
      this.#pools.poolOf(this.#target.origin).dispatch(request, exchange);
    } catch (error) {
      // undici refuses a request that it can't write (a header value from the registry): nothing was sent.
      exchange.onResponseError(null, error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Pools belong to origins, which functions share. */
  close(): void {}
}
