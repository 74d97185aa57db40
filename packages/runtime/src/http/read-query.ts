import { PenstockError } from "@penstock/core";

/**
 * Names and values of a URL's query, in order. The one reading of it: what a signature was checked over is what is acted on, so `+` is a plus,
 * as AWS's signatures take it, and a blank is `%20`.
 *
 * @throws PenstockError `invalidArgument` when an escape is malformed
 */
export function readQuery(url: string): [name: string, value: string][] {
  const start = url.indexOf("?");
  if (start < 0) return [];
  const pairs = url.slice(start + 1).split("&");
  return pairs.filter((pair) => pair !== "").map(readPair);
}

function readPair(pair: string): [name: string, value: string] {
  const at = pair.indexOf("=");
  try {
    const name = decodeURIComponent(at < 0 ? pair : pair.slice(0, at));
    return [name, at < 0 ? "" : decodeURIComponent(pair.slice(at + 1))];
  } catch (cause) {
    throw new PenstockError("invalidArgument", "The query has a malformed escape.", { cause });
  }
}
