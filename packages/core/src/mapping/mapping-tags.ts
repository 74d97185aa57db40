/**
 * Tags of a mapping: at most 50 (AWS's quota), keys and values as AWS's tagging allows them. Keys that begin with `aws:` are reserved for AWS's own services
 * and refused, as AWS does.
 */

import { LISTS, TEXTS } from "./constraints/aws-model.ts";
import {
  awsConstraint,
  awsList,
  brokenText,
  checkLength,
  mapConstraints,
  memberConstraints,
  type TextRule,
  textConstraints,
} from "./constraints/constraints.ts";
import { show, Violations } from "./constraints/violations.ts";
import { TAGS_MAX } from "./mapping-limits.ts";

type Tags = Readonly<Record<string, string>>;

const TOO_MANY = "Number of tags exceeds resource tag limit.";

/** Tags to add to a mapping; undefined = not sent. @throws PenstockError `invalidArgument`, also for none. */
export function readTags(tags: Tags | undefined): ReadonlyMap<string, string> {
  const violations = new Violations();
  if (tags === undefined) {
    violations.add(
      "tags",
      "tags is required: at least one.",
      awsConstraint("tags", null, "Member must not be null"),
    );
  }
  const read = readCreateTags(tags, violations);
  if (tags !== undefined && Object.keys(tags).length === 0) {
    // AWS's words, as recorded.
    const aws = "An error occurred and the request cannot be processed.";
    violations.add("tags", "tags must have at least one entry.", aws);
  }
  violations.throwIfAny();
  return read;
}

/** Tags of a mapping to create: none is right too. */
export function readCreateTags(
  tags: Tags | undefined,
  violations: Violations,
): ReadonlyMap<string, string> {
  const entries = Object.entries(tags ?? {});
  if (entries.length > TAGS_MAX) {
    addTooMany(violations, entries.length);
    return new Map();
  }
  for (const [key, value] of entries) {
    checkPart(violations, TEXTS.tagKey, key, key, "keys");
    checkPart(violations, TEXTS.tagValue, key, value, "value");
    if (!key.toLowerCase().startsWith("aws:")) continue;
    violations.add(
      "tags",
      `tags must not have keys that begin with aws:, such as ${show(key)}: they are reserved.`,
      "System tags cannot be added/updated by requester.",
    );
  }
  return new Map(entries);
}

function addTooMany(violations: Violations, count: number): void {
  violations.add("tags", `tags must have at most ${TAGS_MAX} entries, not ${count}.`, TOO_MANY);
}

function checkPart(
  violations: Violations,
  rule: TextRule,
  key: string,
  text: string,
  part: "keys" | "value",
): void {
  if (brokenText(rule, text) === null) return;
  violations.add(
    "tags",
    `tags ${rule.words}, not ${show(text)}.`,
    awsConstraint("tags", `{${key}=…}`, mapConstraints(part, textConstraints(rule))),
  );
}

/** Keys of tags to remove; undefined = not sent. @throws PenstockError `invalidArgument`. */
export function readTagKeys(keys: readonly string[] | undefined): ReadonlySet<string> {
  const { field, member } = LISTS.tagKeys;
  const violations = new Violations();
  if (keys === undefined || keys.length === 0) {
    violations.add(
      field,
      `${field} is required: at least one.`,
      awsConstraint(member, null, "Member must not be null"),
    );
  } else if (checkLength(violations, LISTS.tagKeys, keys)) {
    const broken = keys.find((key) => brokenText(TEXTS.tagKey, key) !== null);
    if (broken !== undefined) {
      violations.add(
        field,
        `${field} ${TEXTS.tagKey.words}, not ${show(broken)}.`,
        awsConstraint(member, awsList(keys), memberConstraints(textConstraints(TEXTS.tagKey))),
      );
    }
  }
  violations.throwIfAny();
  return new Set(keys);
}

/** The tags after some were added. @throws PenstockError `invalidArgument` when there are too many. */
export function mergeTags(
  stored: ReadonlyMap<string, string>,
  added: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const merged = new Map([...stored, ...added]);
  const violations = new Violations();
  if (merged.size > TAGS_MAX) addTooMany(violations, merged.size);
  violations.throwIfAny();
  return merged;
}
