import { PenstockError } from "@penstock/core";
import type { FileGroup } from "../files/file-group.ts";
import { SECURITY_SETTINGS } from "../settings/table/security-settings.ts";
import { observeMetric } from "../telemetry/instruments.ts";
import { METRICS } from "../telemetry/metric-names.ts";
import { type Access, OPEN_ACCESS } from "./access.ts";
import { createAccess } from "./create-access.ts";
import { type Credentials, NO_CREDENTIALS } from "./credentials/credentials.ts";
import { readCredentials } from "./credentials/read-credentials.ts";
import { Denials } from "./denials.ts";
import { JwtVerifier } from "./jwt/jwt-verifier.ts";
import { type KeySets, readKeySet, remoteKeySet } from "./jwt/key-sets.ts";
import type { SecurityParts, SecuritySettings } from "./open-security.ts";

/** Who may call, from the settings: open when nothing is configured. */
export async function openAccess(
  settings: SecuritySettings,
  parts: SecurityParts,
  files: FileGroup,
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
  files: FileGroup,
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
  files: FileGroup,
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
