import { LISTS, TEXTS } from "../constraints/aws-model.ts";
import { checkEnum, checkLength, checkText } from "../constraints/constraints.ts";
import type { Violations } from "../constraints/violations.ts";
import type { MappingRules, SourceAccessInput } from "../requests/mapping-input.ts";
import {
  isSaslType,
  SOURCE_ACCESS_TYPES,
  type SourceAccess,
  type SourceAccessType,
  sourceAccessKind,
} from "../source-access.ts";

const LIST = LISTS.sourceAccess;

/** Source access configurations and the rules among them; undefined after a violation. */
export function readSourceAccess(
  sent: readonly SourceAccessInput[],
  violations: Violations,
  rules: MappingRules,
): readonly SourceAccess[] | undefined {
  if (!checkLength(violations, LIST, sent)) return undefined;
  const read = sent.map((entry, index) => readEntry(entry, index, violations, rules));
  const known = read.filter((entry) => entry !== null);
  if (known.length < read.length) return undefined;
  checkDuplicates(known, violations);
  checkMechanisms(known, violations);
  return known;
}

function readEntry(
  { type, uri }: SourceAccessInput,
  index: number,
  violations: Violations,
  rules: MappingRules,
): SourceAccess | null {
  const field = `${LIST.field}[${index}]`;
  const member = `${LIST.member}.${index + 1}.member`;
  const typeAt = { field: `${field}.type`, member: `${member}.type` };
  if (!checkEnum(violations, typeAt, SOURCE_ACCESS_TYPES, type)) return null;
  const kind = sourceAccessKind(type);
  if (kind === "unsupported") {
    violations.add(
      typeAt.field,
      `${typeAt.field} ${type} is not supported: ${REASONS.get(type) ?? "Kafka has no such thing"}.`,
      `Unsupported source access configuration type ${type} for given event source mapping type.`,
    );
    return null;
  }
  const uriAt = { field: `${field}.uri`, member: `${member}.uRI` };
  if (uri === undefined) {
    violations.add(
      uriAt.field,
      `${uriAt.field} is required: ${kind === "secret" ? "a reference to a secret" : "the value"} of ${type}.`,
      `Required 'uRI' parameter of source access configuration type ${type} is missing.`,
    );
    return null;
  }
  if (!checkText(violations, uriAt, TEXTS.sourceAccessUri, uri)) return null;
  const problem = kind === "secret" ? (rules.checkSecretReference?.(uri, type) ?? null) : null;
  if (problem !== null) {
    violations.add(uriAt.field, `${uriAt.field} ${problem.replace(/\.$/, "")}.`);
    return null;
  }
  return { type, uri };
}

const REASONS = new Map<SourceAccessType, string>([
  ["IAM_AUTH", "it needs AWS's identities; use SASL_SCRAM_512_AUTH or OAUTHBEARER_AUTH"],
  ["IAM_OAUTHBEARER_AUTH", "it needs AWS's identities; use OAUTHBEARER_AUTH"],
  ["VIRTUAL_HOST", "it is for RabbitMQ"],
]);

/** A mapping may have several networks, but one of everything else. */
function checkDuplicates(entries: readonly SourceAccess[], violations: Violations): void {
  const seen = new Set<string>();
  for (const [index, { type }] of entries.entries()) {
    const isRepeated = seen.has(type) && sourceAccessKind(type) !== "network";
    seen.add(type);
    if (!isRepeated) continue;
    const field = `${LIST.field}[${index}].type`;
    violations.add(
      field,
      `${field} ${type} is there already: only VPC_SUBNET and VPC_SECURITY_GROUP may repeat.`,
      `Duplicate source access configuration type ${type}.`,
    );
  }
}

/** One SASL mechanism at most, and the settings of OAUTHBEARER with OAUTHBEARER alone. */
function checkMechanisms(entries: readonly SourceAccess[], violations: Violations): void {
  const sasl = [...new Set(entries.map(({ type }) => type).filter(isSaslType))];
  if (sasl.length > 1) {
    violations.add(
      LIST.field,
      `${LIST.field} must have at most one of BASIC_AUTH, SASL_SCRAM_256_AUTH, SASL_SCRAM_512_AUTH and OAUTHBEARER_AUTH, not ${sasl.join(" and ")}.`,
      `Unsupported combination of source access configuration types: ${sasl.join(", ")}.`,
    );
  }
  if (sasl.includes("OAUTHBEARER_AUTH")) return;
  for (const [index, { type }] of entries.entries()) {
    if (sourceAccessKind(type) !== "oauth") continue;
    const field = `${LIST.field}[${index}].type`;
    violations.add(
      field,
      `${field} ${type} needs an entry OAUTHBEARER_AUTH beside it.`,
      `Source access configuration type ${type} requires OAUTHBEARER_AUTH.`,
    );
  }
}
