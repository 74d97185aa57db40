/**
 * The constraints of AWS's API model (ranges, lengths, patterns, enums), checked with both texts: Penstock's, which names the field of the proto and what to
 * send, and AWS's, as Lambda words it (recorded answers of AWS: LocalStack's `aws/services/lambda_` snapshots).
 *
 * Of a member only the first broken constraint is reported, and a pattern is only tried on a text that is not too long.
 */

import type { AwsViolation } from "../../errors/penstock-error.ts";
import { cut, show, type Violations } from "./violations.ts";

/** A member of a request on both faces. */
export interface Member {
  /** Path in the proto's request. */
  readonly field: string;
  /** AWS's spelling in messages: every part begins with a small letter, lists count from 1. */
  readonly member: string;
}

/** A text of the API model. */
export interface TextRule {
  readonly lengthMin: number;
  readonly lengthMax: number;
  readonly pattern: RegExp;
  /** As AWS prints it. */
  readonly awsPattern: string;
  /** What follows the name of the field. */
  readonly words: string;
  /** The value is not repeated: it may be a secret that was pasted where a reference belongs. */
  readonly isHidden?: boolean;
}

export interface RangeRule extends Member {
  readonly min: number;
  readonly max: number;
}

const AWS_VALUE_LENGTH_MAX = 512;
const HIDDEN = "***";

/** What AWS says of a broken constraint; the value cut and free of lone surrogates, null = not sent. */
export function awsConstraint(
  member: string,
  value: string | null,
  constraint: string,
): AwsViolation {
  const shown = value === null ? null : cut(value, AWS_VALUE_LENGTH_MAX).toWellFormed();
  return { kind: "constraint", member, value: shown, constraint };
}

export const LENGTH_AT_MOST = "Member must have length less than or equal to";
export const LENGTH_AT_LEAST = "Member must have length greater than or equal to";
export const VALUE_AT_MOST = "Member must have value less than or equal to";
const VALUE_AT_LEAST = "Member must have value greater than or equal to";
const PATTERN = "Member must satisfy regular expression pattern:";

/** The enum of a member in AWS's words. */
export function enumConstraint(values: readonly string[]): string {
  return `Member must satisfy enum value set: [${values.join(", ")}]`;
}

/** The constraints that AWS names when a member of a list breaks one of them. */
export function memberConstraints(constraints: readonly string[]): string {
  return `Member must satisfy constraint: ${withNotNull(constraints)}`;
}

/** The same for a map. */
export function mapConstraints(part: "keys" | "value", constraints: readonly string[]): string {
  return `Map ${part} must satisfy constraint: ${withNotNull(constraints)}`;
}

function withNotNull(constraints: readonly string[]): string {
  return `[${[...constraints, "Member must not be null"].join(", ")}]`;
}

/** All constraints of a text, in AWS's words and order. */
export function textConstraints(rule: TextRule): string[] {
  return [
    `${LENGTH_AT_MOST} ${rule.lengthMax}`,
    `${LENGTH_AT_LEAST} ${rule.lengthMin}`,
    `${PATTERN} ${rule.awsPattern}`,
  ];
}

/** The first constraint that the text breaks, in AWS's words; null = none. */
export function brokenText(rule: TextRule, text: string): string | null {
  if (text.length > rule.lengthMax) return `${LENGTH_AT_MOST} ${rule.lengthMax}`;
  if (text.length < rule.lengthMin) return `${LENGTH_AT_LEAST} ${rule.lengthMin}`;
  return rule.pattern.test(text) ? null : `${PATTERN} ${rule.awsPattern}`;
}

/** Whether the text keeps its constraints. */
export function checkText(
  violations: Violations,
  at: Member,
  rule: TextRule,
  text: string,
): boolean {
  const broken = brokenText(rule, text);
  if (broken === null) return true;
  const isHidden = rule.isHidden === true;
  violations.add(
    at.field,
    `${at.field} ${rule.words}${isHidden ? "" : `, not ${show(text)}`}.`,
    awsConstraint(at.member, isHidden ? HIDDEN : text, broken),
  );
  return false;
}

/** Whether the value is one of the enum. */
export function checkEnum<T extends string>(
  violations: Violations,
  at: Member,
  values: readonly T[],
  value: string,
): value is T {
  if (isOneOf(values, value)) return true;
  violations.add(
    at.field,
    `${at.field} must be one of ${values.join(", ")}, not ${show(value)}.`,
    awsConstraint(at.member, value, enumConstraint(values)),
  );
  return false;
}

export function isOneOf<T extends string>(values: readonly T[], value: string): value is T {
  return values.some((known) => known === value);
}

/** Whether the number is whole and within the range, both ends included. */
export function checkRange(violations: Violations, rule: RangeRule, value: number): boolean {
  const { field, member, min, max } = rule;
  if (value >= min && value <= max && Number.isInteger(value)) return true;
  const broken = value > max ? `${VALUE_AT_MOST} ${max}` : `${VALUE_AT_LEAST} ${min}`;
  violations.add(
    field,
    `${field} must be a whole number from ${min} to ${max}, not ${value}.`,
    // AWS's readers refuse a fraction before its model is asked.
    value > max || value < min ? awsConstraint(member, String(value), broken) : undefined,
  );
  return false;
}

/** Whether the list has the right length. */
export function checkLength(
  violations: Violations,
  rule: RangeRule,
  list: readonly unknown[],
): boolean {
  const { field, member, min, max } = rule;
  const { length } = list;
  if (length >= min && length <= max) return true;
  const wanted = min === max ? `exactly ${min}` : `${min} to ${max}`;
  violations.add(
    field,
    `${field} must have ${wanted} ${max === 1 ? "entry" : "entries"}, not ${length}.`,
    awsConstraint(
      member,
      awsList(list),
      length > max ? `${LENGTH_AT_MOST} ${max}` : `${LENGTH_AT_LEAST} ${min}`,
    ),
  );
  return false;
}

/** A list as AWS prints it: texts as they are; of structures only that they are there. */
export function awsList(list: readonly unknown[]): string {
  const shown: string[] = [];
  let length = 0;
  for (const item of list) {
    if (length > AWS_VALUE_LENGTH_MAX) break;
    const text = typeof item === "string" ? item : "{…}";
    shown.push(cut(text, AWS_VALUE_LENGTH_MAX));
    length += text.length;
  }
  return `[${shown.join(", ")}]`;
}
