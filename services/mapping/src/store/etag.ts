import { PenstockError } from "@penstock/core";
import type { StoredMapping } from "./rows/stored-mapping.ts";

/** Changes with every change of settings. */
export function etagOf({ revision }: Pick<StoredMapping, "revision">): string {
  return `r${revision}`;
}

/** @throws PenstockError `aborted` unless the caller saw the present settings; undefined = whatever is there. */
export function assertEtag(stored: StoredMapping, etag: string | undefined): void {
  if (etag === undefined || etag === etagOf(stored)) return;
  throw new PenstockError(
    "aborted",
    "The event source mapping was changed since it was read: its etag is another one. Read it and try again.",
  );
}
