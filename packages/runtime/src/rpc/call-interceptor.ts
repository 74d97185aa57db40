import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import type { Logger } from "../logs/logger.ts";
import { toConnectError } from "./error-edge.ts";
import { streamUntilAborted, untilAborted } from "./until-aborted.ts";

/**
 * Stands around every RPC that a service serves: ends it when its signal aborts (deadline, caller gone, server stopping) even when the
 * handler doesn't look, translates what it throws ({@link toConnectError}), and writes one debug line with the outcome and the
 * duration. A bug is written as an error, with all that is known.
 */
export function callInterceptor(log: Logger): Interceptor {
  return (next) => async (request) => {
    const call = new ObservedCall(log, `${request.service.typeName}/${request.method.name}`);
    const { signal } = request;
    try {
      const given = request.stream
        ? { ...request, message: streamUntilAborted(request.message, signal) }
        : request;
      const response = await untilAborted(next(given), signal);
      if (!response.stream) {
        call.succeeded();
        return response;
      }
      return { ...response, message: observeStream(call, response.message, signal) };
    } catch (error) {
      throw call.failed(error, signal);
    }
  };
}

class ObservedCall {
  readonly #log: Logger;
  readonly #method: string;
  readonly #startedMs = performance.now();

  constructor(log: Logger, method: string) {
    this.#log = log;
    this.#method = method;
  }

  succeeded(): void {
    this.#log.debug("call", { method: this.#method, code: "ok", durationMs: this.#durationMs() });
  }

  /** The error that leaves. */
  failed(error: unknown, signal: AbortSignal): ConnectError {
    const outgoing = signal.aborted ? abortedError(error, signal) : toConnectError(error);
    const fields = {
      method: this.#method,
      code: Code[outgoing.error.code],
      durationMs: this.#durationMs(),
    };
    if (outgoing.isBug) this.#log.error("call failed by a bug", { ...fields, error });
    else this.#log.debug("call", { ...fields, message: outgoing.error.rawMessage });
    return outgoing.error;
  }

  #durationMs(): number {
    return Math.round((performance.now() - this.#startedMs) * 100) / 100;
  }
}

/** After the caller went away, or its deadline passed, whatever the handler then stumbles over is not a bug. */
function abortedError(error: unknown, signal: AbortSignal) {
  const outgoing = toConnectError(error);
  if (!outgoing.isBug) return outgoing;
  const reason: unknown = signal.reason;
  return {
    error: reason instanceof ConnectError ? reason : new ConnectError("cancelled", Code.Canceled),
    isBug: false,
  };
}

async function* observeStream<T>(
  call: ObservedCall,
  messages: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncIterable<T> {
  try {
    yield* streamUntilAborted(messages, signal);
    call.succeeded();
  } catch (error) {
    throw call.failed(error, signal);
  }
}
