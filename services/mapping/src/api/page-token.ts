import { createHash } from "node:crypto";
import { invalidField } from "@penstock/core";

/** AWS: at most 100 on a page. */
export const PAGE_SIZE_MAX = 100;
const TOKEN_LENGTH_MAX = 512;

/** @throws PenstockError `invalidArgument`. */
export function readPageSize(pageSize: number | undefined): number {
  const size = pageSize ?? PAGE_SIZE_MAX;
  if (size >= 1 && size <= PAGE_SIZE_MAX) return size;
  throw invalidField("page_size", `page_size must be from 1 to ${PAGE_SIZE_MAX}, not ${size}.`);
}

/**
 * Where the next page begins: the last key of this one, with a mark of the list and its filter, so that a token is of no use
 * elsewhere. Opaque to callers, and no secret: it holds nothing that the page did not show.
 */
export function writePageToken(filter: string, lastKey: string): string {
  return Buffer.from(`${mark(filter)}${lastKey}`, "utf8").toString("base64url");
}

/** The key after which the page begins, null for the first page. @throws PenstockError `invalidArgument`. */
export function readPageToken(filter: string, token: string): string | null {
  if (token === "") return null;
  const text = Buffer.from(token.slice(0, TOKEN_LENGTH_MAX), "base64url").toString("utf8");
  const expected = mark(filter);
  if (token.length <= TOKEN_LENGTH_MAX && text.startsWith(expected)) {
    return text.slice(expected.length);
  }
  throw invalidField(
    "page_token",
    "page_token must be the next_page_token of a page with the same filter.",
  );
}

/** The same for lists whose keys are numbers: whoever wrote the token, it is one of the right size. */
export function readPageKey(filter: string, token: string): bigint | null {
  const key = readPageToken(filter, token);
  return key !== null && /^\d{1,18}$/.test(key) ? BigInt(key) : null;
}

function mark(filter: string): string {
  return `${createHash("sha256").update(filter).digest("base64url").slice(0, 12)}:`;
}
