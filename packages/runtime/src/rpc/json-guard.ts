/**
 * Keeps deeply nested JSON from the RPC parsers (S-17). Wraps the body of a request; other formats pass untouched.
 *
 * Two layouts: a bare JSON body, or a sequence of envelopes (one byte of flags, four of length, then that many bytes of JSON), as
 * streams of Connect and gRPC have them. Size limits are the RPC library's; compressed bodies are refused before this.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { JSON_DEPTH_MAX, JsonDepth } from "./json-depth.ts";

const ENVELOPE_HEAD_BYTES = 5;

type Bytes = AsyncIterable<Uint8Array>;

/** The body, or one that fails with INVALID_ARGUMENT before the piece that nests too deep is handed on. */
export function guardJson(contentType: string, body: Bytes): Bytes {
  if (!/^application\/(?:[a-z-]+\+)?json\b/i.test(contentType)) return body;
  const isBare = /^application\/json\b/i.test(contentType);
  return isBare ? guardBare(body) : guardEnvelopes(body);
}

async function* guardBare(body: Bytes): Bytes {
  const depth = new JsonDepth();
  for await (const chunk of body) {
    check(depth.accept(chunk));
    yield chunk;
  }
}

async function* guardEnvelopes(body: Bytes): Bytes {
  const depth = new JsonDepth();
  let headBytes = 0;
  let textBytes = 0;
  for await (const chunk of body) {
    for (let at = 0; at < chunk.length; ) {
      if (headBytes < ENVELOPE_HEAD_BYTES) {
        const byte = chunk[at++] ?? 0;
        if (headBytes > 0) textBytes = textBytes * 256 + byte;
        headBytes++;
      } else {
        const text = chunk.subarray(at, at + textBytes);
        check(depth.accept(text));
        at += text.length;
        textBytes -= text.length;
      }
      if (headBytes === ENVELOPE_HEAD_BYTES && textBytes === 0) {
        headBytes = 0;
        depth.reset();
      }
    }
    yield chunk;
  }
}

function check(isShallow: boolean): void {
  if (!isShallow) {
    throw new ConnectError(
      `JSON is nested deeper than ${JSON_DEPTH_MAX} levels`,
      Code.InvalidArgument,
    );
  }
}
