import { isIP } from "node:net";
import { JWT_ALGORITHMS } from "../../auth/jwt/jwt-algorithms.ts";
import { list, text } from "../kinds/setting-kinds.ts";
import { bad, good, type Setting } from "../setting.ts";

/** Who may call a service, and how its ports and its own calls are protected. Every service reads all of them. */
export const SECURITY_SETTINGS = {
  credentialsFile: text({
    name: "PENSTOCK_CREDENTIALS_FILE",
    description:
      "YAML file of tokens, client certificates and access keys with their roles (docs/operating/security.md). Read again when it changes. Required, or PENSTOCK_JWT_ISSUER, as soon as PENSTOCK_HOST is beyond the loopback.",
  }),
  jwtIssuer: text({
    name: "PENSTOCK_JWT_ISSUER",
    description: "Issuer (iss) whose JSON Web Tokens are accepted as bearer tokens.",
  }),
  jwtAudience: text({
    name: "PENSTOCK_JWT_AUDIENCE",
    description: "Audience (aud) that JSON Web Tokens must name.",
  }),
  jwtKeys: keysLocation({
    name: "PENSTOCK_JWT_KEYS",
    description:
      "Key set (JWKS) of the issuer: an https URL, or a file, read again when it changes.",
  }),
  jwtRolesClaim: text({
    name: "PENSTOCK_JWT_ROLES_CLAIM",
    default: "roles",
    description:
      "Claim with the roles, a list or names separated by blanks. Dots lead into objects: realm_access.roles.",
  }),
  jwtAlgorithms: list({
    name: "PENSTOCK_JWT_ALGORITHMS",
    default: ["RS256", "PS256", "ES256", "ES384", "EdDSA"],
    check: (item) =>
      JWT_ALGORITHMS.includes(item) ? null : `must be one of ${JWT_ALGORITHMS.join(" ")}`,
    description: "Signature algorithms that are accepted.",
  }),
  nodeTokenFile: text({
    name: "PENSTOCK_NODE_TOKEN_FILE",
    description:
      "File with the token that this process shows to the other services. Read again when it changes.",
  }),
  invokerTokenFile: text({
    name: "PENSTOCK_INVOKER_TOKEN_FILE",
    description:
      "File with the token that a poller shows to invokers, which need not be good for anything else (docs/operating/security.md). Read again when it changes. Default: PENSTOCK_NODE_TOKEN_FILE.",
  }),
  nodeId: uuid({
    name: "PENSTOCK_NODE_ID",
    description:
      "UUID of a poller or invoker whose credential is bound to one (node_id); a process alone may have it. Default: a new one at each start.",
  }),
  tlsCertificateFile: text({
    name: "PENSTOCK_TLS_CERTIFICATE_FILE",
    description:
      "Certificate chain (PEM) of the listeners, which then speak TLS, and of calls to the other services. Read again when it changes.",
  }),
  tlsKeyFile: text({
    name: "PENSTOCK_TLS_KEY_FILE",
    description: "Key (PEM) of PENSTOCK_TLS_CERTIFICATE_FILE.",
  }),
  tlsClientCaFile: text({
    name: "PENSTOCK_TLS_CLIENT_CA_FILE",
    description:
      "Authority (PEM) of client certificates; who they are is in PENSTOCK_CREDENTIALS_FILE. Unset: none is asked for.",
  }),
  tlsCaFile: text({
    name: "PENSTOCK_TLS_CA_FILE",
    description:
      "Authority (PEM) that the other services' certificates are verified with; they are called over TLS then, and also when this process has a certificate. Default: the public ones.",
  }),
};

/** Whether a bound address can be reached from this machine alone. */
export function isLoopback(host: string): boolean {
  if (isIP(host) === 4) return host.startsWith("127.");
  return host === "::1" || host === "localhost";
}

function keysLocation(said: { name: string; description: string }): Setting<string | null> {
  return {
    ...text({ ...said }),
    read(value) {
      const hasScheme = /^[a-z][a-z0-9+.-]+:\/\//i.test(value);
      if (!hasScheme) return good(value);
      const url = URL.canParse(value) ? new URL(value) : null;
      const isLocal = url?.protocol === "http:" && isLoopback(url.hostname.replace(/^\[|\]$/g, ""));
      if (url?.protocol === "https:" || isLocal) return good(value);
      return bad("must be an https URL (http on the loopback only), or a file");
    },
  };
}

function uuid(said: { name: string; description: string }): Setting<string | null> {
  return {
    ...text({ ...said }),
    read(value) {
      const isUuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value);
      return isUuid ? good(value.toLowerCase()) : bad("must be a UUID");
    },
  };
}
