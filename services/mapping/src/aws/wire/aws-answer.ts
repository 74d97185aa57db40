import type { ServerResponse } from "node:http";

/** An answer of the AWS wire before it has a request id. */
export interface AwsAnswer {
  readonly status: number;
  /** Null = no body at all, as 204 has. */
  readonly body: object | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Sends the answer. Every one carries `x-amzn-RequestId`, which SDKs put into their metadata and error texts.
 *
 * @param isRead whether the request's body was read: if not, the connection can't be used again
 */
export function sendAnswer(
  response: ServerResponse,
  { status, body, headers }: AwsAnswer,
  { requestId, isRead }: { readonly requestId: string; readonly isRead: boolean },
): void {
  const text = body === null ? "" : JSON.stringify(body);
  response.writeHead(status, {
    "x-amzn-RequestId": requestId,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...(body !== null && {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(text),
    }),
    ...(!isRead && { connection: "close" }),
    ...headers,
  });
  response.end(text);
}
