/**
 * A denied call is answered by the RPC library, which knows how each protocol says so, without anything of its message having been
 * read: in place of the body it gets an empty message.
 */
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";

/** Headers that speak of the body that is left out. */
const OF_THE_BODY = [
  "content-length",
  "content-encoding",
  "connect-content-encoding",
  "grpc-encoding",
];

const EMPTY_OBJECT = Buffer.from("{}");

export function withoutBody(request: UniversalServerRequest): UniversalServerRequest {
  const header = new Headers(request.header);
  for (const name of OF_THE_BODY) header.delete(name);
  return { ...request, header, body: emptyBody(header.get("content-type") ?? "") };
}

/** An empty message in the form of the content type: bare for a single call of Connect, else behind five bytes of flags and length. */
async function* emptyBody(contentType: string): AsyncIterable<Uint8Array> {
  const message = /\bjson\b/i.test(contentType) ? EMPTY_OBJECT : Buffer.alloc(0);
  if (/^application\/(json|proto)\b/i.test(contentType)) {
    yield message;
    return;
  }
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  yield Buffer.concat([head, message]);
}
