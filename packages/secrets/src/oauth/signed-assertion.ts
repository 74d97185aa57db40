import type { KeyObject } from "node:crypto";
import { SignJWT } from "jose";

/** The assertion of the JWT bearer grant (RFC 7523, section 3), signed with the client's key. */
export async function signedAssertion(claims: {
  readonly key: KeyObject;
  /** Issuer and subject: the client's e-mail address, or whatever the identity provider knows it by. */
  readonly subject: string;
  readonly audience: string;
  readonly scope: string | null;
  readonly id: string;
  readonly nowMs: number;
  readonly expirationSeconds: number;
}): Promise<string> {
  const nowSeconds = Math.floor(claims.nowMs / 1000);
  return await new SignJWT(claims.scope === null ? {} : { scope: claims.scope })
    .setProtectedHeader({ alg: algorithmOf(claims.key), typ: "JWT" })
    .setIssuer(claims.subject)
    .setSubject(claims.subject)
    .setAudience(claims.audience)
    .setJti(claims.id)
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + claims.expirationSeconds)
    .sign(claims.key);
}

function algorithmOf(key: KeyObject): string {
  if (key.asymmetricKeyType === "rsa") return "RS256";
  if (key.asymmetricKeyType === "rsa-pss") return "PS256";
  if (key.asymmetricKeyType === "ed25519") return "EdDSA";
  const curve = key.asymmetricKeyDetails?.namedCurve ?? "";
  return CURVES[curve] ?? "none";
}

const CURVES: Readonly<Record<string, string>> = {
  prime256v1: "ES256",
  secp384r1: "ES384",
  secp521r1: "ES512",
};
