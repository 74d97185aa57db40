import { createHash } from "node:crypto";
import {
  PenstockError,
  type SourceAccess,
  type SourceCredentials,
  type SourceSecurity,
  type SourceSecurityProvider,
} from "@penstock/core";
import { brokerKey, OpenSource, type SourceContext } from "./open-source.ts";
import { planSource, relevantAccess, type SourcePlan } from "./source-plan.ts";

/**
 * The source security port over secret references.
 *
 * TLS is on as soon as there is a secret or a root: without TLS is only a source without any entry, and one whose bootstrap servers the operator listed in the
 * setting for plaintext. Mappings with the same entries share what was read.
 */
export interface SourceSecurityOptions extends SourceContext {
  /** Sources kept for sharing; beyond it the one that was opened longest ago is no longer shared. */
  readonly sourcesMax: number;
}

export function createSourceSecurityProvider(
  options: SourceSecurityOptions,
): SourceSecurityProvider {
  const sources = new Map<string, OpenSource>();
  return {
    open(access, bootstrapServers) {
      const relevant = relevantAccess(access);
      if (relevant.length === 0) return PLAINTEXT;
      const plan = planSource(relevant);
      const isTls = typeof plan === "string" || needsTls(options, plan, bootstrapServers);
      const identity = identityOf(relevant, isTls);
      if (typeof plan === "string") return brokenSource(identity, plan);
      const known = sources.get(identity);
      const source = known ?? new OpenSource(options, plan, identity, isTls);
      sources.delete(identity);
      sources.set(identity, source);
      if (known === undefined && sources.size > options.sourcesMax) {
        const [oldest] = sources.keys();
        if (oldest !== undefined) sources.delete(oldest);
      }
      return source;
    },
  };
}

function needsTls(
  { plaintextBrokers }: SourceContext,
  plan: SourcePlan,
  bootstrapServers: readonly string[],
): boolean {
  if (plan.roots !== null || plan.identity !== null) return true;
  return !bootstrapServers.every((server) => {
    const colon = server.lastIndexOf(":");
    return plaintextBrokers.has(brokerKey(server.slice(0, colon), Number(server.slice(colon + 1))));
  });
}

function identityOf(access: readonly SourceAccess[], isTls: boolean): string {
  const digest = createHash("sha256");
  digest.update(JSON.stringify([isTls, access.map(({ type, uri }) => [type, uri])]));
  return digest.digest("base64url");
}

const NO_CREDENTIALS: SourceCredentials = Object.freeze({
  version: "none",
  tls: null,
  sasl: null,
});

const PLAINTEXT: SourceSecurity = Object.freeze({
  identity: "plaintext",
  isTls: false,
  credentials: async () => NO_CREDENTIALS,
  refused() {},
});

/** A list that contradicts itself says so whenever it is to be used. */
function brokenSource(identity: string, problem: string): SourceSecurity {
  return {
    identity,
    isTls: true,
    async credentials() {
      throw new PenstockError("secretMalformed", `The source access configurations: ${problem}.`);
    },
    refused() {},
  };
}
