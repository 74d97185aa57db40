import type { KeyObject } from "node:crypto";
import { concealed } from "../cache/secret-value.ts";
import { readCertificates, toPem } from "./read-certificates.ts";
import { SecretMembers } from "./read-members.ts";
import { readPrivateKey } from "./read-private-key.ts";

/** How a token is asked for: the members of AWS's OAUTHBEARER_AUTH secret. */
export interface OAuthClient {
  readonly tokenEndpoint: URL;
  readonly clientId: string;
  readonly grant:
    | { readonly kind: "clientCredentials"; readonly clientSecret: string }
    | {
        readonly kind: "jwtBearer";
        readonly email: string;
        readonly key: KeyObject;
        readonly expirationSeconds: number;
      };
  /** Roots in PEM for the token endpoint; null = the system's. */
  readonly ca: string | null;
}

const EXPIRATION_SECONDS = { min: 60, max: 86_400 } as const;
const EXPIRATION_SECONDS_DEFAULT = 3_600;
const JWT_MEMBERS = ["oauthClientEmail", "oauthPrivateKey"] as const;

/** @throws PenstockError `secretMalformed` */
export function readOAuthClient(uri: string, text: string): OAuthClient {
  const members = new SecretMembers(uri, text);
  const ca = members.optional("oauthIdpCaCertificate");
  return {
    tokenEndpoint: readEndpoint(members),
    clientId: members.required("oauthClientId"),
    grant: readGrant(members),
    ca: ca === null ? null : toPem(readCertificates(members, "oauthIdpCaCertificate", ca)),
  };
}

function readEndpoint(members: SecretMembers): URL {
  const name = "oauthTokenEndpointUrl";
  const url = URL.parse(members.required(name));
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw members.malformed(`"${name}" must be an https URL`);
  }
  if (url.username !== "" || url.password !== "" || url.hash !== "") {
    throw members.malformed(`"${name}" must have no user and no fragment`);
  }
  return url;
}

function readGrant(members: SecretMembers): OAuthClient["grant"] {
  const clientSecret = members.optional("oauthClientSecret");
  const given = JWT_MEMBERS.filter((name) => members.optional(name) !== null);
  if (clientSecret !== null) {
    if (given.length === 0) return concealed({ kind: "clientCredentials" as const, clientSecret });
    throw members.malformed(
      `has "oauthClientSecret" (client credentials) and "${given[0]}" (JWT bearer): leave one grant's members out`,
    );
  }
  if (given.length === 0) {
    throw members.malformed(
      'has neither "oauthClientSecret" (client credentials) nor "oauthClientEmail" and "oauthPrivateKey" (JWT bearer)',
    );
  }
  const email = members.required("oauthClientEmail");
  const pem = members.required("oauthPrivateKey");
  return {
    kind: "jwtBearer",
    email,
    key: readPrivateKey(members, "oauthPrivateKey", pem, null),
    expirationSeconds:
      members.optionalInteger("oauthTokenExpirationSeconds", EXPIRATION_SECONDS) ??
      EXPIRATION_SECONDS_DEFAULT,
  };
}
