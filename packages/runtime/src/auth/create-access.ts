import { createHash } from "node:crypto";
import { PenstockError } from "@penstock/core";
import type { Access, Admission, Presented, SignedRequest } from "./access.ts";
import type { Caller } from "./caller.ts";
import type { Credential, Credentials } from "./credentials/credentials.ts";
import type { Denials } from "./denials.ts";
import type { JwtVerifier } from "./jwt/jwt-verifier.ts";
import { AWS_ALGORITHM } from "./signature/aws-authorization.ts";
import { verifySignature } from "./signature/verify-signature.ts";

export interface AccessOptions {
  /** As they are now: the file is read again when it changes. */
  readonly credentials: () => Credentials;
  readonly jwt: JwtVerifier | null;
  readonly denials: Denials;
  /** Wall clock. */
  readonly nowMs: () => number;
}

/**
 * Access by configured credentials. What the Authorization header says goes first; a client certificate counts when there is no such
 * header, so a process whose certificate is for its own listeners can come with a token.
 */
export function createAccess(options: AccessOptions): Access {
  const { credentials, jwt, denials, nowMs } = options;

  function admit(read: () => Credential | undefined, unknown: string, expired: string): Admission {
    const found = read();
    if (found === undefined) throw unauthenticated(unknown);
    if (isOver(found, nowMs())) throw unauthenticated(expired);
    const { caller } = found;
    return {
      caller,
      // By value: reading the file again makes new entries, of which most are as before.
      isGood: () => {
        const now = read();
        return now !== undefined && !isOver(now, nowMs()) && isSame(now, found);
      },
    };
  }

  async function byToken(token: string): Promise<Admission> {
    // Looked up by its digest: how long that takes tells nothing about any token.
    const digest = createHash("sha256").update(token).digest("hex");
    const read = () => credentials().tokens.get(digest);
    if (jwt !== null && read() === undefined && /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) {
      return jwt.verify(token, digest);
    }
    return admit(read, "The token is not known.", "The token has expired.");
  }

  function byCertificate(certificate: NonNullable<Presented["certificate"]>): Admission {
    const { problem, subject, names, expiresAtMs } = certificate;
    if (problem !== null) throw unauthenticated("The client certificate is not trusted.");
    const keys = subject === "" ? names : [`subject:${subject}`, ...names];
    const read = () => {
      const { certificates } = credentials();
      const key = keys.find((one) => certificates.has(one));
      return key === undefined || expiresAtMs <= nowMs() ? undefined : certificates.get(key);
    };
    return admit(
      read,
      "The client certificate is trusted, but no entry of the credentials file names it.",
      "The entry of the client certificate has expired.",
    );
  }

  async function authenticate({ authorization, certificate }: Presented): Promise<Admission> {
    if (authorization === undefined) {
      if (certificate !== null) return byCertificate(certificate);
      throw unauthenticated("This needs credentials: a bearer token in the Authorization header.");
    }
    const [, token] = /^Bearer +([^\s,]+) *$/i.exec(authorization) ?? [];
    if (token !== undefined) return byToken(token);
    throw unauthenticated("The Authorization header must be a bearer token.");
  }

  async function bySignature(request: SignedRequest): Promise<Admission> {
    const accessKey = (id: string) => credentials().accessKeys.get(id);
    const { id } = await verifySignature(request, { accessKey, nowMs: nowMs() });
    return admit(
      () => accessKey(id),
      "The access key is not known.",
      "The access key has expired.",
    );
  }

  return {
    isOpen: false,
    authenticate,
    authenticateSigned(request) {
      const { authorization, certificate, url } = request;
      const isPresigned = /[?&]X-Amz-(Signature|Algorithm)=/i.test(url);
      if (authorization === undefined && certificate === null && !isPresigned) {
        return Promise.reject(new PenstockError("awsTokenMissing", "Missing Authentication Token"));
      }
      const isSigned = authorization?.startsWith(AWS_ALGORITHM) ?? isPresigned;
      return isSigned ? bySignature(request) : authenticate(request);
    },
    denied: (reason, what) => denials.note(reason, what),
  };
}

function isOver({ expiresAtMs }: Credential, nowMs: number): boolean {
  return expiresAtMs !== null && expiresAtMs <= nowMs;
}

/** Whether a credential still lets its holder be and do the same. */
function isSame(now: Credential, then: Credential): boolean {
  const { caller } = now;
  return (
    caller.subject === then.caller.subject &&
    caller.nodeId === then.caller.nodeId &&
    hasHostsOf(caller, then.caller) &&
    [...(then.caller.nodeServices ?? [])].every((one) => caller.nodeServices?.has(one)) &&
    [...then.caller.roles].every((role) => caller.roles.has(role))
  );
}

/** Where a node may be is looked at when it joins: with fewer hosts, or from now on with some, it has to join again. */
function hasHostsOf(now: Caller, then: Caller): boolean {
  if (then.nodeHosts === undefined) return now.nodeHosts === undefined;
  return [...then.nodeHosts].every((host) => now.nodeHosts?.has(host));
}

function unauthenticated(message: string): PenstockError {
  return new PenstockError("unauthenticated", message);
}
