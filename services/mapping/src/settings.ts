import type { FieldViolation } from "@penstock/core";
import {
  type Environment,
  OUTBOUND_SETTINGS,
  OWN_PORT_SETTINGS,
  type Parsed,
  parseSettings,
  SECRETS_SETTINGS,
  SECURITY_SETTINGS,
  SETTINGS,
  securityProblems,
} from "@penstock/runtime";

/** What the mapping service reads of the environment. */
export const MAPPING_SETTINGS = {
  host: SETTINGS.host,
  advertisedHost: SETTINGS.advertisedHost,
  httpHosts: SETTINGS.httpHosts,
  grpcPort: SETTINGS.mappingGrpcPort,
  httpPort: SETTINGS.mappingHttpPort,
  databaseUrl: SETTINGS.databaseUrl,
  dataDir: SETTINGS.dataDir,
  encryptionKeyFile: SETTINGS.encryptionKeyFile,
  functions: SETTINGS.functions,
  kmsKeys: SETTINGS.kmsKeys,
  region: SETTINGS.region,
  accountId: SETTINGS.accountId,
  allowPrivateAddresses: SETTINGS.allowPrivateAddresses,
  drainLimitMs: SETTINGS.drainLimitMs,
  nodeVanishedMs: SETTINGS.nodeVanishedMs,
  rpcMessageBytesMax: SETTINGS.rpcMessageBytesMax,
  rpcDeadlineMsMax: SETTINGS.rpcDeadlineMsMax,
  httpBodyBytesMax: SETTINGS.httpBodyBytesMax,
  awsStrict: SETTINGS.awsStrict,
  awsRequestsPerSecond: SETTINGS.awsRequestsPerSecond,
  awsRequestBurst: SETTINGS.awsRequestBurst,
  ...SECURITY_SETTINGS,
  ...SECRETS_SETTINGS,
  ...OUTBOUND_SETTINGS,
  ...OWN_PORT_SETTINGS,
} as const;

export type MappingSettings = Parsed<typeof MAPPING_SETTINGS>;

/** @throws PenstockError `invalidArgument` that lists everything that is wrong. */
export function parseMappingSettings(env: Environment): MappingSettings {
  return parseSettings(MAPPING_SETTINGS, env, (settings) => [
    ...arnProblems(settings),
    ...securityProblems(settings),
  ]);
}

/** Region and account become part of ARNs, so they must look as AWS's do. */
function arnProblems({ region, accountId }: MappingSettings): FieldViolation[] {
  const problems: FieldViolation[] = [];
  if (!/^(eusc-)?[a-z]{2}(-gov|-iso[a-z]?)?-[a-z]+-\d$/.test(region)) {
    problems.push({
      field: SETTINGS.region.name,
      description: "must look like a region, such as us-east-1",
    });
  }
  if (!/^\d{12}$/.test(accountId)) {
    problems.push({ field: SETTINGS.accountId.name, description: "must be twelve digits" });
  }
  return problems;
}
