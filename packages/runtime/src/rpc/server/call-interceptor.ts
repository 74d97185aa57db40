import { Code, ConnectError, type ContextValues, type Interceptor } from "@connectrpc/connect";
import type { PenstockError } from "@penstock/core";
import { CALL_RESOURCE } from "../../auth/call-resource.ts";
import { CALLER, type Caller } from "../../auth/caller.ts";
import { isDenial } from "../../auth/roles.ts";
import type { Logger } from "../../logs/logger.ts";
import { toConnectError } from "../error-edge.ts";
import { streamUntilAborted, untilAborted } from "../until-aborted.ts";
import { DENIAL, type RpcGate } from "./rpc-gate.ts";

/**
 * Stands around every RPC that a service serves: ends it when its signal aborts (deadline, caller gone, server stopping) even when the
 * handler doesn't look, translates what it throws ({@link toConnectError}), and writes one debug line with the outcome and the
 * duration; of a call that changes something also who made it and, where the handler notes it, to what, at info. A bug is written as an error, with all that is known. A call that
 * the gate has denied ends here.
 */
export function callInterceptor(log: Logger, gate: CallGate): Interceptor {
  return (next) => async (request) => {
    const method = `${request.service.typeName}/${request.method.name}`;
    const { signal, contextValues } = request;
    const call = new ObservedCall(log, method, gate, contextValues);
    try {
      const denial = contextValues.get(DENIAL);
      if (denial !== null) throw call.denied(denial);
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
      throw error instanceof DeniedCall ? error.answer : call.failed(error, signal);
    }
  };
}

/** What the interceptor asks of the gate. */
export type CallGate = Pick<RpcGate, "refused" | "isAudited">;

/** Carries the answer to a denied call past the look at what handlers throw. */
class DeniedCall extends Error {
  readonly answer: ConnectError;

  constructor(answer: ConnectError) {
    super(answer.message);
    this.answer = answer;
  }
}

class ObservedCall {
  readonly #log: Logger;
  readonly #method: string;
  readonly #gate: CallGate;
  readonly #values: ContextValues;
  readonly #startedMs = performance.now();

  constructor(log: Logger, method: string, gate: CallGate, values: ContextValues) {
    this.#log = log;
    this.#method = method;
    this.#gate = gate;
    this.#values = values;
  }

  /** The gate has counted and logged it. */
  denied(denial: PenstockError): DeniedCall {
    const { error, isBug } = toConnectError(denial);
    if (isBug) this.#log.error("call failed by a bug", { method: this.#method, error: denial });
    return new DeniedCall(error);
  }

  succeeded(): void {
    this.#write({ method: this.#method, code: "ok", durationMs: this.#durationMs() });
  }

  /** The error that leaves. */
  failed(error: unknown, signal: AbortSignal): ConnectError {
    if (isDenial(error)) this.#gate.refused(`/${this.#method}`, this.#caller);
    const outgoing = signal.aborted ? abortedError(error, signal) : toConnectError(error);
    const fields = {
      method: this.#method,
      code: Code[outgoing.error.code],
      durationMs: this.#durationMs(),
    };
    if (outgoing.isBug) this.#log.error("call failed by a bug", { ...fields, error });
    else this.#write({ ...fields, message: outgoing.error.rawMessage });
    return outgoing.error;
  }

  #write(fields: object): void {
    const resource = this.#values.get(CALL_RESOURCE);
    const written = resource === null ? fields : { ...fields, resource };
    const { subject } = this.#caller;
    if (this.#gate.isAudited(`/${this.#method}`)) this.#log.info("call", { subject, ...written });
    else this.#log.debug("call", written);
  }

  get #caller(): Caller {
    return this.#values.get(CALLER);
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
