import {
  create,
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
} from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { health, reflection, reflectionAlpha } from "@penstock/runtime";

/** What every gRPC port serves beside its own. */
export const OF_EVERY_PORT = [
  health.Health,
  reflection.ServerReflection,
  reflectionAlpha.ServerReflection,
] as const;

/**
 * Calls a method, of any kind, with one empty message, and answers how that ended: null for an answer (the first one of a stream), else the code.
 */
export async function anyCall(transport: Transport, method: DescMethod): Promise<Code | null> {
  const abort = new AbortController();
  try {
    if (method.methodKind === "unary") {
      await transport.unary(
        method as DescMethodUnary,
        abort.signal,
        20_000,
        undefined,
        create(method.input),
      );
      return null;
    }
    const answers = await transport.stream(
      method as DescMethodStreaming,
      abort.signal,
      20_000,
      undefined,
      once(create(method.input)),
    );
    for await (const _answer of answers.message) return null;
    return null;
  } catch (error) {
    return ConnectError.from(error).code;
  } finally {
    abort.abort();
  }
}

async function* once<T>(message: T): AsyncIterable<T> {
  yield message;
}

/** Whether the gate let it in, whatever came of it. */
export function isIn(code: Code | null): boolean {
  return code !== Code.Unauthenticated && code !== Code.PermissionDenied;
}
