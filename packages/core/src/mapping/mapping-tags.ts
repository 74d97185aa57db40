/**
 * Tags of a mapping: constraints of AWS's API model (`Tags`, `TagKeyList`) and its limit of 50.
 */

/** Checks tags to add. @throws PenstockError `invalidArgument`. */
export function readTags(
  tags: Readonly<Record<string, string>> | undefined,
): ReadonlyMap<string, string> {
  return new Map(Object.entries(tags ?? {}));
}

/** Checks keys of tags to remove; undefined = not sent. @throws PenstockError `invalidArgument`. */
export function readTagKeys(keys: readonly string[] | undefined): ReadonlySet<string> {
  return new Set(keys);
}

/** The tags after some were added. @throws PenstockError `invalidArgument` when there are too many. */
export function mergeTags(
  stored: ReadonlyMap<string, string>,
  added: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  return new Map([...stored, ...added]);
}
