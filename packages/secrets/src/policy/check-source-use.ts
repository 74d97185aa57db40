import { type FieldViolation, PenstockError, type SourceAccess } from "@penstock/core";
import { type SecretReference, SYSTEM_ROOTS } from "../reference/secret-reference.ts";
import { planSource } from "../source/source-plan.ts";
import type { SecretPolicies } from "./secret-policies.ts";
import type { SecretUser } from "./secret-policy.ts";

/**
 * Whether a caller may give these secrets to these brokers: asked when a mapping is created, changed or tried out. The brokers that the cluster advertises
 * later are judged when they are dialled.
 *
 * @throws PenstockError `secretDenied`, `secretMalformed`
 */
export async function checkSourceUse(
  policies: SecretPolicies,
  access: readonly SourceAccess[],
  bootstrapServers: readonly string[],
  user: SecretUser,
): Promise<void> {
  const plan = planSource(access);
  if (typeof plan === "string") {
    throw new PenstockError("secretMalformed", `The source access configurations: ${plan}.`);
  }
  const violations: FieldViolation[] = [];
  for (const reference of plan.references) {
    const problem = await refusalOf(policies, reference, bootstrapServers, user);
    if (problem === null) continue;
    const index = access.findIndex(({ uri }) => uri !== SYSTEM_ROOTS && uri === reference.uri);
    violations.push({
      field: `source_access_configurations[${index}].uri`,
      description: problem,
      aws: { kind: "parameter", message: problem },
    });
  }
  if (violations.length === 0) return;
  const message = violations.map(({ description }) => description).join(" ");
  throw new PenstockError("secretDenied", message, { violations });
}

async function refusalOf(
  policies: SecretPolicies,
  reference: SecretReference,
  bootstrapServers: readonly string[],
  user: SecretUser,
): Promise<string | null> {
  try {
    await policies.assertUser(reference, user);
    for (const server of bootstrapServers) {
      const colon = server.lastIndexOf(":");
      const host = server.slice(0, colon);
      await policies.assertBroker(reference, host, Number(server.slice(colon + 1)));
    }
    return null;
  } catch (error) {
    if (error instanceof PenstockError && error.code === "secretDenied") return error.message;
    throw error;
  }
}
