import { PenstockError } from "../../errors/penstock-error.ts";
import { type AwsError, awsError } from "../constraints/aws-error.ts";
import type { MappingSettings } from "../mapping.ts";
import { readCreateMapping } from "../requests/create-mapping.ts";
import { applyChanges } from "../requests/mapping-changes.ts";
import type { CreateMappingInput, MappingInput, MappingRules } from "../requests/mapping-input.ts";
import { readUpdateMapping } from "../requests/update-mapping.ts";

/** Requests for tests of the mapping model, and what is said of bad ones. */

export const KNOWN_KEY = "arn:aws:kms:us-east-1:000000000000:key/known";

export const RULES: MappingRules = {
  isStrict: false,
  kmsKeyArns: new Set([KNOWN_KEY]),
  nowMs: 1_700_000_000_500,
  check: (patterns) => {
    if (patterns.includes("bad")) throw new PenstockError("invalidArgument", "what is bad in it");
  },
};
export const STRICT: MappingRules = { ...RULES, isStrict: true };

/** The least that is accepted. */
export const LEAST: CreateMappingInput = {
  functionName: "orders",
  bootstrapServers: ["kafka:9092"],
  topics: ["orders"],
};

export function stored(changes: CreateMappingInput = {}, rules = RULES): MappingSettings {
  return readCreateMapping({ ...LEAST, ...changes }, rules).settings;
}

/** What is wrong with something, on both faces. */
export interface Refused extends AwsError {
  readonly fields: readonly string[];
  readonly descriptions: readonly string[];
}

/** Null = accepted. */
export function refusal(act: () => unknown): Refused | null {
  try {
    act();
    return null;
  } catch (error) {
    if (!(error instanceof PenstockError) || error.code !== "invalidArgument") throw error;
    return {
      ...awsError(error),
      fields: error.violations.map(({ field }) => field),
      descriptions: error.violations.map(({ description }) => description),
    };
  }
}

export function refusedCreate(changes: CreateMappingInput, rules = RULES): Refused | null {
  return refusal(() => readCreateMapping({ ...LEAST, ...changes }, rules));
}

/** An update of a mapping as `before` has it. */
export function update(
  changes: MappingInput,
  { before = stored(), mask = null as readonly string[] | null, rules = RULES } = {},
): MappingSettings {
  return applyChanges(before, readUpdateMapping(changes, mask, rules), rules);
}

export function refusedUpdate(
  changes: MappingInput,
  options: Parameters<typeof update>[1] = {},
): Refused | null {
  return refusal(() => update(changes, options));
}
