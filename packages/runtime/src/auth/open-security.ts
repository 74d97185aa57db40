/**
 * The security of one process, from its settings: who may call it, TLS of its listeners, and how it calls the other services.
 *
 *     settings ─▶ checks ─▶ files (read again when they change) ─┬─▶ access, tls    ─▶ startRpcServer, startHttpServer
 *                                                               └─▶ client         ─▶ createRpcTransport, joinFleet, invoke streams
 */
import type { Meter } from "@opentelemetry/api";
import { type FieldViolation, PenstockError } from "@penstock/core";
import { FileGroup } from "../files/file-group.ts";
import type { Logger } from "../logs/logger.ts";
import type { Parsed } from "../settings/parse-settings.ts";
import { isLoopback, SECURITY_SETTINGS } from "../settings/table/security-settings.ts";
import type { ClientSecurity } from "../tls/client-security.ts";
import type { ListenerTls } from "../tls/listener-tls.ts";
import { openClients, openIdentity } from "../tls/open-identity.ts";
import type { Access } from "./access.ts";
import type { FetchJson } from "./jwt/key-sets.ts";
import { openAccess } from "./open-access.ts";

export type SecuritySettings = Parsed<typeof SECURITY_SETTINGS> & {
  /** What the listeners bind. */
  readonly host: string;
};

/** What the listeners of a process need. */
export interface ListenerSecurity {
  readonly access: Access;
  /** Null: in the clear. */
  readonly tls: ListenerTls | null;
}

export interface Security extends ListenerSecurity {
  readonly client: ClientSecurity;
  /** How a poller calls invokers, which are no reason to give away a token that opens more. */
  readonly invokerClient: ClientSecurity;
  /** Ends the watching of files. */
  close(): void;
}

export interface SecurityParts {
  readonly log: Logger;
  /** Where denied calls are counted. */
  readonly meter?: Meter | undefined;
  /** For a key set behind a URL. */
  readonly fetchJson?: FetchJson | undefined;
  /** Between looks at the files; default 1 s. */
  readonly reloadIntervalMs?: number | undefined;
}

/** Problems between the settings, for `parseSettings`. */
export function securityProblems(settings: SecuritySettings): FieldViolation[] {
  const problems: FieldViolation[] = [];
  const need = (isNeeded: boolean, value: string | null, name: string, why: string): void => {
    if (isNeeded && value === null) problems.push({ field: name, description: `is needed ${why}` });
  };
  const { jwtIssuer, jwtAudience, jwtKeys, tlsCertificateFile, tlsKeyFile } = settings;
  const { credentialsFile, jwtIssuer: issuer } = SECURITY_SETTINGS;
  const hasJwt = jwtIssuer !== null || jwtAudience !== null || jwtKeys !== null;
  need(hasJwt, jwtIssuer, issuer.name, "to accept JSON Web Tokens");
  need(hasJwt, jwtAudience, SECURITY_SETTINGS.jwtAudience.name, "to accept JSON Web Tokens");
  need(hasJwt, jwtKeys, SECURITY_SETTINGS.jwtKeys.name, "to accept JSON Web Tokens");
  const hasTls =
    tlsCertificateFile !== null || tlsKeyFile !== null || settings.tlsClientCaFile !== null;
  need(hasTls, tlsCertificateFile, SECURITY_SETTINGS.tlsCertificateFile.name, "for TLS");
  need(hasTls, tlsKeyFile, SECURITY_SETTINGS.tlsKeyFile.name, "for TLS");
  if (settings.tlsClientCaFile !== null) {
    need(
      true,
      settings.credentialsFile,
      credentialsFile.name,
      "to say whose the client certificates are",
    );
  }
  const isOpen = settings.credentialsFile === null && jwtIssuer === null;
  if (isOpen && !isLoopback(settings.host)) {
    problems.push({
      field: "PENSTOCK_HOST",
      description: `is beyond the loopback (${settings.host}), and nobody has to authenticate: set ${credentialsFile.name} or ${issuer.name}, or bind 127.0.0.1`,
    });
  }
  return problems;
}

/** @throws PenstockError `invalidArgument` when settings or files are not good */
export async function openSecurity(
  settings: SecuritySettings,
  parts: SecurityParts,
): Promise<Security> {
  const problems = securityProblems(settings);
  if (problems.length > 0) {
    const lines = problems.map(({ field, description }) => `${field} ${description}`);
    throw new PenstockError("invalidArgument", `Invalid settings: ${lines.join("; ")}.`, {
      violations: problems,
    });
  }
  const files = new FileGroup({ log: parts.log, intervalMs: parts.reloadIntervalMs });
  try {
    const access = await openAccess(settings, parts, files);
    const identity = await openIdentity(settings, files);
    return {
      access,
      tls: identity,
      ...(await openClients(settings, files, identity)),
      close: () => files.close(),
    };
  } catch (error) {
    files.close();
    throw error;
  }
}
