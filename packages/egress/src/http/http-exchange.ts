import { type Clock, type InvokeOutcome, PenstockError } from "@penstock/core";
import type { Dispatcher } from "undici";
import type { CallTerms } from "../invoker/function-caller.ts";
import type { CallResult } from "../outcome/call-result.ts";
import { errorCodeOf } from "../outcome/error-code.ts";
import { classifyHttpBreak, classifyHttpHead } from "../outcome/http-outcome.ts";

/**
 * One HTTP call, as undici's dispatch handler: no promise, no stream and one timer for the whole exchange.
 *
 *   queued ──▶ sent ──▶ head ──▶ body ──▶ done
 *      └─────────┴────────┴───────┴──▶ done (deadline, break, limit)
 *
 * `sent` begins right before the first byte is written: a call that ends before it never ran. The head decides the outcome of every
 * answer but a success, which also needs its whole body in time.
 */
export class HttpExchange implements Dispatcher.DispatchHandler {
  readonly #clock: Clock;
  readonly #terms: CallTerms;
  readonly #done: (result: CallResult) => void;
  readonly #startedAtMs: number;
  readonly #timer: NodeJS.Timeout;
  readonly #chunks: Buffer[] | null;
  #controller: Dispatcher.DispatchController | null = null;
  #isSent = false;
  #isDone = false;
  #status = 0;
  #bytes = 0;
  /** What the head decided; null while there is none, or when it was a success. */
  #verdict: InvokeOutcome | null = null;

  constructor(clock: Clock, terms: CallTerms, done: (result: CallResult) => void) {
    this.#clock = clock;
    this.#terms = terms;
    this.#done = done;
    this.#chunks = terms.isCaptured ? [] : null;
    this.#startedAtMs = clock.nowMs();
    this.#timer = setTimeout(onDeadline, terms.timeoutMs, this);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (!this.#isDone && !this.#terms.maySend()) {
      this.#end({ kind: "throttled", retryAfterMs: null, message: GIVEN_UP });
    }
    if (this.#isDone) {
      controller.abort(ABORTED);
      return;
    }
    this.#controller = controller;
    this.#isSent = true;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (this.#isDone || status < 200) return;
    this.#status = status;
    const head = {
      status,
      retryAfter: firstOf(headers["retry-after"]),
      contentEncoding: firstOf(headers["content-encoding"]),
      functionError: firstOf(headers["x-amz-function-error"]),
    };
    this.#verdict = classifyHttpHead(head, this.#clock.wallMs());
    const length = Number(firstOf(headers["content-length"]) ?? 0);
    if (length > this.#terms.answerBytesMax) this.#tooLarge();
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isDone) return;
    this.#bytes += chunk.length;
    if (this.#bytes > this.#terms.answerBytesMax) this.#tooLarge();
    else this.#chunks?.push(chunk);
  }

  onResponseEnd(): void {
    // The timer may be late (a busy loop): what counts is the clock.
    const isLate = this.#elapsedMs() > this.#terms.timeoutMs;
    this.#end(this.#verdict ?? (isLate ? this.#timeout() : SUCCESS));
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#isDone) return;
    if (error instanceof PenstockError) {
      this.#end({ kind: "unreachable", message: error.message });
      return;
    }
    const failure = { isSent: this.#isSent, status: this.#status, code: errorCodeOf(error) };
    this.#end(this.#verdict ?? classifyHttpBreak(failure));
  }

  deadlinePassed(): void {
    const outcome: InvokeOutcome = this.#isSent
      ? (this.#verdict ?? this.#timeout())
      : { kind: "unreachable", message: "no connection to the function within the deadline" };
    this.#abortWith(outcome);
  }

  #timeout(): InvokeOutcome {
    const { timeoutMs } = this.#terms;
    return { kind: "timeout", message: `no complete answer within ${timeoutMs} ms` };
  }

  #tooLarge(): void {
    const limit = this.#terms.answerBytesMax;
    this.#abortWith(
      this.#verdict ?? { kind: "invalidResponse", message: `the answer exceeds ${limit} bytes` },
    );
  }

  #abortWith(outcome: InvokeOutcome): void {
    this.#end(outcome);
    this.#controller?.abort(ABORTED);
  }

  #end(outcome: InvokeOutcome): void {
    if (this.#isDone) return;
    this.#isDone = true;
    clearTimeout(this.#timer);
    this.#done({
      outcome,
      statusCode: this.#status,
      durationMs: this.#elapsedMs(),
      response: this.#chunks === null ? null : Buffer.concat(this.#chunks),
    });
  }

  #elapsedMs(): number {
    return this.#clock.nowMs() - this.#startedAtMs;
  }
}

const SUCCESS: InvokeOutcome = { kind: "success" };
export const GIVEN_UP = "the invoker was paused, or its caller is gone: the call was not made";
const ABORTED = new Error("the call has ended");

function onDeadline(exchange: HttpExchange): void {
  exchange.deadlinePassed();
}

function firstOf(value: string | string[] | undefined): string | undefined {
  return typeof value === "object" ? value[0] : value;
}
