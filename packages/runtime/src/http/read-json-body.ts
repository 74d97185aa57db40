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
  const depthMax = limits.depthMax ?? JSON_DEPTH_MAX;
  const depth = new JsonDepth(depthMax);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > limits.bytesMax) {
      throw new PenstockError(
        "limitExceeded",
        `The body must have at most ${limits.bytesMax} bytes.`,
      );
    }
    if (!depth.accept(chunk)) {
      const message = `The body must be nested at most ${depthMax} levels deep.`;
      throw new PenstockError("invalidArgument", message);
    }
    chunks.push(chunk);
  }
  if (bytes === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks)));
  } catch (cause) {
    throw new PenstockError("invalidArgument", "The body must be JSON in UTF-8.", { cause });
  }
}
