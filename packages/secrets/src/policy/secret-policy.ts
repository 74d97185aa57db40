import { type BrokerPattern, parseBrokerPattern } from "./broker-pattern.ts";

/**
 * What one secret may be used for: the brokers that it may be sent to, and who may put it into a mapping.
 *
 *     brokers: ["*.kafka.orders.example:9096"]     needed; an empty list is nowhere
 *     roles: [admin]                               either of the two lists admits; without both, whoever may change mappings
 *     subjects: ["alice@example"]
 */
export interface SecretPolicy {
  readonly brokers: readonly BrokerPattern[];
  readonly roles: ReadonlySet<string>;
  readonly subjects: ReadonlySet<string>;
}

/** Who asks; `Caller` of the runtime is one. */
export interface SecretUser {
  readonly subject: string;
  readonly roles: ReadonlySet<string>;
}

/** Who may change mappings. */
const ROLES_DEFAULT = ["operator", "admin"];
const ROLES = ["viewer", "operator", "admin", "node"];
const ITEMS_MAX = 1_000;

/** The members of a policy as YAML gives them; a text is what is wrong with them. */
export function readPolicy(
  value: unknown,
  otherMembers: readonly string[] = [],
): SecretPolicy | string {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    return 'must have a list "brokers"';
  }
  const members = value as Readonly<Record<string, unknown>>;
  const known = ["brokers", "roles", "subjects", ...otherMembers];
  const unknown = Object.keys(members).find((name) => !known.includes(name));
  if (unknown !== undefined) return `has an unknown member ${JSON.stringify(unknown)}`;
  const brokers = textList(members.brokers);
  const roles = textList(members.roles ?? []);
  const subjects = textList(members.subjects ?? []);
  if (brokers === null) return '"brokers" must be a list of host:port';
  if (roles === null) return '"roles" must be a list of names';
  if (subjects === null) return '"subjects" must be a list of names';
  const role = roles.find((name) => !ROLES.includes(name));
  if (role !== undefined)
    return `"roles" has ${JSON.stringify(role)}, which is none of ${ROLES.join(", ")}`;
  const patterns: BrokerPattern[] = [];
  for (const text of brokers) {
    const pattern = parseBrokerPattern(text);
    if (pattern === null) return `"brokers" has ${JSON.stringify(text)}, which is not host:port`;
    patterns.push(pattern);
  }
  const isForAll = members.roles === undefined && members.subjects === undefined;
  return {
    brokers: patterns,
    roles: new Set(isForAll ? ROLES_DEFAULT : roles),
    subjects: new Set(subjects),
  };
}

export function admitsBroker(policy: SecretPolicy, host: string, port: number): boolean {
  return policy.brokers.some((pattern) => pattern.matches(host, port));
}

export function admitsUser(policy: SecretPolicy, user: SecretUser): boolean {
  if (policy.subjects.has(user.subject)) return true;
  for (const role of user.roles) if (policy.roles.has(role)) return true;
  return false;
}

function textList(value: unknown): readonly string[] | null {
  if (!Array.isArray(value) || value.length > ITEMS_MAX) return null;
  return value.every((item) => typeof item === "string") ? value : null;
}
