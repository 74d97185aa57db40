/**
 * Secrets: references that travel, values that each process reads for itself, and policies that keep one user's secret from another's broker.
 *
 *     openSecrets(settings) ─▶ sourceSecurity (the port of core)    for connections to brokers
 *                           └▶ checkUse                             for create, update and dry runs
 */
export * from "./open-secrets.ts";
export * from "./policy/secret-policy.ts";
export * from "./reference/secret-reference.ts";
