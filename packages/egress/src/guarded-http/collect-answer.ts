import type { Client, Dispatcher } from "undici";
import type { GuardedAnswer } from "./guarded-http.ts";

/** Code of the failure when the answer passes its limit. */
export const ANSWER_TOO_LARGE = "ANSWER_TOO_LARGE";

/** Sends one request and collects the answer up to a limit. Rejects with the raw failure; the caller translates. */
export function collectAnswer(
  client: Client,
  request: Dispatcher.DispatchOptions,
  terms: { readonly signal: AbortSignal; readonly answerBytesMax: number },
): Promise<GuardedAnswer> {
  return new Promise((resolve, reject) => {
    const { signal, answerBytesMax } = terms;
    const onAbort = (): void => end(() => reject(signal.reason));
    let isDone = false;
    const end = (settle: () => void): void => {
      if (isDone) return;
      isDone = true;
      signal.removeEventListener("abort", onAbort);
      settle();
    };
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    signal.addEventListener("abort", onAbort);
    let status = 0;
    let headers: Record<string, string> = {};
    let bytes = 0;
    const chunks: Buffer[] = [];
    client.dispatch(request, {
      onRequestStart() {},
      onResponseStart(controller, code, received) {
        if (code < 200) return;
        status = code;
        headers = joinHeaders(received);
        if (Number(headers["content-length"] ?? 0) > answerBytesMax) tooLarge(controller);
      },
      onResponseData(controller, chunk) {
        bytes += chunk.length;
        if (bytes > answerBytesMax) tooLarge(controller);
        else chunks.push(chunk);
      },
      onResponseEnd() {
        end(() => resolve({ status, headers, body: Buffer.concat(chunks) }));
      },
      onResponseError(_controller, error) {
        end(() => reject(error));
      },
    });

    function tooLarge(controller: Dispatcher.DispatchController): void {
      const error = Object.assign(new Error("answer too large"), { code: ANSWER_TOO_LARGE });
      end(() => reject(error));
      controller.abort(error);
    }
  });
}

function joinHeaders(
  received: Record<string, string | string[] | undefined>,
): Record<string, string> {
  const headers: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(received)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return headers;
}
