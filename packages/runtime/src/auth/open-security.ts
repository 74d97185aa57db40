/**
 * The security of one process, from its settings: who may call it, TLS of its listeners, and how it calls the other services.
 *
 *     settings ─▶ checks ─▶ files (read again when they change) ─┬─▶ access, tls    ─▶ startRpcServer, startHttpServer
 *                                                               └─▶ client         ─▶ createRpcTransport, joinFleet, invoke streams
 */
import type { Meter } from "@opentelemetry/api";
import { type FieldViolation, PenstockError } from "@penstock/core";
import { WatchedFiles } from "../files/watched-files.ts";
import type { Logger } from "../logs/logger.ts";
import { Secret } from "../secrets/secret.ts";
import type { Parsed } from "../settings/parse-settings.ts";
import { isLoopback, SECURITY_SETTINGS } from "../settings/security-settings.ts";
import { observeMetric } from "../telemetry/instruments.ts";
import { METRICS } from "../telemetry/metric-names.ts";
import type { ClientSecurity, ClientTls } from "../tls/client-security.ts";
import { checkIdentity, type Identity, type ListenerTls } from "../tls/listener-tls.ts";
import { type Access, OPEN_ACCESS } from "./access.ts";
import { createAccess } from "./create-access.ts";
import { type Credentials, NO_CREDENTIALS } from "./credentials/credentials.ts";
import { readCredentials } from "./credentials/read-credentials.ts";
import { Denials } from "./denials.ts";
import { JwtVerifier } from "./jwt/jwt-verifier.ts";
import { type FetchJson, type KeySets, readKeySet, remoteKeySet } from "./jwt/key-sets.ts";

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
  const files = new Files(parts);
  try {
    const access = await openAccess(settings, parts, files);
    const identity = await openIdentity(settings, files);
    return {
      access,
      tls: identity,
      client: await openClient(settings, files, identity),
      close: () => files.close(),
    };
  } catch (error) {
    files.close();
    throw error;
  }
}

/** The files of one process. */
class Files {
  readonly #parts: SecurityParts;
  readonly #open: { close(): void }[] = [];

  constructor(parts: SecurityParts) {
    this.#parts = parts;
  }

  async open<T>(
    what: string,
    paths: readonly string[],
    parse: (texts: readonly string[]) => T,
    onChange: (value: T) => void = () => {},
  ): Promise<WatchedFiles<T>> {
    const { log, reloadIntervalMs } = this.#parts;
    const interval = reloadIntervalMs === undefined ? {} : { intervalMs: reloadIntervalMs };
    const files = await WatchedFiles.open({ what, paths, parse, log, onChange, ...interval });
    this.#open.push(files);
    return files;
  }

  close(): void {
    for (const files of this.#open) files.close();
  }
}

async function openAccess(
  settings: SecuritySettings,
  parts: SecurityParts,
  files: Files,
): Promise<Access> {
  const { credentialsFile, jwtIssuer } = settings;
  if (credentialsFile === null && jwtIssuer === null) return OPEN_ACCESS;
  let credentials: () => Credentials = () => NO_CREDENTIALS;
  if (credentialsFile !== null) {
    const file = await files.open("credentials file", [credentialsFile], ([text]) =>
      readCredentials(text ?? ""),
    );
    credentials = () => file.value;
  }
  const denials = new Denials(parts.log, () => performance.now());
  if (parts.meter !== undefined) {
    observeMetric(parts.meter, METRICS.callsDenied, () => denials.counts());
  }
  const jwt = await openJwt(settings, parts, files);
  return createAccess({ credentials, jwt, denials, nowMs: Date.now });
}

async function openJwt(
  settings: SecuritySettings,
  parts: SecurityParts,
  files: Files,
): Promise<JwtVerifier | null> {
  const { jwtIssuer, jwtAudience, jwtKeys, jwtAlgorithms, jwtRolesClaim } = settings;
  if (jwtIssuer === null || jwtAudience === null || jwtKeys === null) return null;
  return new JwtVerifier({
    issuer: jwtIssuer,
    audience: jwtAudience,
    algorithms: jwtAlgorithms,
    rolesClaim: jwtRolesClaim,
    keys: await openKeys(jwtKeys, parts, files),
    nowMs: Date.now,
  });
}

async function openKeys(
  location: string,
  { log, fetchJson }: SecurityParts,
  files: Files,
): Promise<KeySets> {
  if (location.includes("://")) {
    if (fetchJson !== undefined)
      return remoteKeySet({ url: location, fetchJson, log, nowMs: () => performance.now() });
    throw new PenstockError(
      "invalidArgument",
      `${SECURITY_SETTINGS.jwtKeys.name} must be a file here.`,
    );
  }
  const file = await files.open("key set", [location], ([text]) =>
    readKeySet(parseJson(text ?? "")),
  );
  return { current: async () => file.value, newer: async () => null };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PenstockError("invalidArgument", "The key set must be JSON.", { cause });
  }
}

interface OpenIdentity extends ListenerTls {
  readonly identity: Identity;
}

async function openIdentity(
  settings: SecuritySettings,
  files: Files,
): Promise<OpenIdentity | null> {
  const { tlsCertificateFile, tlsKeyFile, tlsClientCaFile } = settings;
  if (tlsCertificateFile === null || tlsKeyFile === null) return null;
  const listeners = new Set<(identity: Identity) => void>();
  const paths = [tlsCertificateFile, tlsKeyFile].concat(tlsClientCaFile ?? []);
  const file = await files.open(
    "TLS certificate",
    paths,
    ([certificate = "", key = "", clientCa]) =>
      checkIdentity({ certificate, key, clientCa: clientCa ?? null }),
    (identity) => {
      for (const changed of listeners) changed(identity);
    },
  );
  return {
    get identity() {
      return file.value;
    },
    onChange(changed) {
      listeners.add(changed);
      return () => void listeners.delete(changed);
    },
  };
}

async function openClient(
  settings: SecuritySettings,
  files: Files,
  identity: OpenIdentity | null,
): Promise<ClientSecurity> {
  const { nodeTokenFile, tlsCaFile } = settings;
  const ca =
    tlsCaFile === null
      ? null
      : await files.open("TLS authority", [tlsCaFile], ([pem]) => pem ?? "");
  const token =
    nodeTokenFile === null ? null : await files.open("token file", [nodeTokenFile], readToken);
  const tls = (): ClientTls => ({
    ca: ca?.value ?? null,
    certificate: identity?.identity.certificate ?? null,
    key: identity?.identity.key ?? null,
  });
  return {
    tls: ca === null && identity === null ? null : tls,
    authorization: () => (token === null ? null : `Bearer ${token.value.reveal()}`),
  };
}

function readToken([text = ""]: readonly string[]): Secret {
  const token = text.trim();
  if (/^[\x21-\x7e]{16,8192}$/.test(token)) return new Secret(token);
  throw new PenstockError(
    "invalidArgument",
    "A token must have 16 to 8192 printable characters without blanks.",
  );
}
