import type { IncomingMessage } from "node:http";
import { PenstockError } from "@penstock/core";
import { JSON_DEPTH_MAX, JsonDepth } from "../rpc/json-depth.ts";

export interface JsonBodyLimits {
  readonly bytesMax: number;
  /** Default 64. */
  readonly depthMax?: number;
}

/**
 * Reads and parses the JSON body of a plain HTTP request; an empty body reads as undefined. Size and nesting are checked before
 * anything is parsed (S-17).
 *
 * @throws PenstockError `limitExceeded` when it is too large, `invalidArgument` when it nests too deep or isn't JSON
 */
export async function readJsonBody(
  request: IncomingMessage,
  limits: JsonBodyLimits,
): Promise<unknown> {
  return parseJsonBody(await readBody(request, limits.bytesMax), limits.depthMax);
}

/** The bytes as they came, for whoever must also hash them. @throws PenstockError `limitExceeded`. */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // The connection must outlive a refusal: the caller is owed the answer.
  for await (const chunk of request.iterator({
    destroyOnReturn: false,
  }) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > bytesMax) {
      throw new PenstockError("limitExceeded", `The body must have at most ${bytesMax} bytes.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** @throws PenstockError `invalidArgument` when it nests too deep or isn't JSON. */
export function parseJsonBody(body: Buffer, depthMax = JSON_DEPTH_MAX): unknown {
  if (body.length === 0) return undefined;
  if (!new JsonDepth(depthMax).accept(body)) {
    const message = `The body must be nested at most ${depthMax} levels deep.`;
    throw new PenstockError("invalidArgument", message);
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (cause) {
    throw new PenstockError("invalidArgument", "The body must be JSON in UTF-8.", { cause });
  }
}
