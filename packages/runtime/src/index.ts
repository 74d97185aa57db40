/** Penstock's service plumbing: settings, logs, life cycle, RPC and HTTP servers, telemetry, the fleet stream. */

export { noteResource } from "./auth/call-resource.ts";
export {
  ANONYMOUS,
  CALLER,
  type Caller,
  callerOf,
  NODE_SERVICES,
  type NodeService,
  ROLES,
  type Role,
} from "./auth/caller.ts";
export type { FetchJson } from "./auth/jwt/key-sets.ts";
export { accessOf, METHOD_ROLES, type MethodAccess } from "./auth/method-roles.ts";
export {
  type ListenerSecurity,
  openSecurity,
  type Security,
  type SecurityParts,
  type SecuritySettings,
  securityProblems,
} from "./auth/open-security.ts";
export { hasRole, requireRole } from "./auth/roles.ts";
export * from "./clock/system-clock.ts";
export { Backoff } from "./fleet/backoff.ts";
export * from "./fleet/join-fleet.ts";
export type { HttpAuthentication } from "./http/http-authentication.ts";
export * from "./http/http-server.ts";
export * from "./http/read-json-body.ts";
export { readQuery } from "./http/read-query.ts";
export * from "./http/respond-json.ts";
export { describeError } from "./logs/describe-error.ts";
export * from "./logs/logger.ts";
export { droppedLogLines } from "./logs/standard-output.ts";
export * from "./rpc/client/rpc-transport.ts";
export { toConnectError, toPenstockError } from "./rpc/error-edge.ts";
/** The protocols of gRPC itself that every port serves, for clients of them. */
export * as health from "./rpc/generated/grpc/health/v1/health_pb.ts";
export * as reflection from "./rpc/generated/grpc/reflection/v1/reflection_pb.ts";
export * as reflectionAlpha from "./rpc/generated/grpc/reflection/v1alpha/reflection_pb.ts";
export { type Peer, peerOf } from "./rpc/server/peer.ts";
export * from "./rpc/server/rpc-server.ts";
export * from "./secrets/secret.ts";
export * from "./service/run-service.ts";
export * from "./service/service.ts";
export { EXIT_BUG, EXIT_CLEAN, EXIT_FAILED } from "./service/service-life.ts";
export * from "./service/version.ts";
export * from "./settings/advertised-address.ts";
export * from "./settings/effective-settings.ts";
export * from "./settings/kinds/invoker-choice.ts";
export * from "./settings/kinds/network-address.ts";
export * from "./settings/kinds/setting-kinds.ts";
export * from "./settings/own-ports.ts";
export * from "./settings/parse-settings.ts";
export * from "./settings/setting.ts";
export { KAFKA_SETTINGS } from "./settings/table/kafka-settings.ts";
export { OUTBOUND_SETTINGS, SECRETS_SETTINGS } from "./settings/table/secrets-settings.ts";
export { isLoopback, SECURITY_SETTINGS } from "./settings/table/security-settings.ts";
export * from "./settings/table/settings-table.ts";
export * from "./telemetry/attribute-names.ts";
export * from "./telemetry/instruments.ts";
export * from "./telemetry/metric-definition.ts";
export * from "./telemetry/metric-names.ts";
export * from "./telemetry/start-telemetry.ts";
export * from "./telemetry/trace-context.ts";
export {
  type ClientSecurity,
  type ClientTls,
  openResettableSocket,
  PLAIN_CLIENT,
  type ResettableSocket,
  schemeOf,
} from "./tls/client-security.ts";
