import type { IncomingMessage, ServerResponse } from "node:http";
import { PenstockError } from "@penstock/core";
import type { Access, Admission } from "../auth/access.ts";
import type { Caller, Role } from "../auth/caller.ts";
import { isDenial, requireRole } from "../auth/roles.ts";
import type { Logger } from "../logs/logger.ts";
import { presentedBy } from "../tls/presented.ts";
import { respondJson } from "./respond-json.ts";

/** Of a path in the log. */
const METHOD_LENGTH_MAX = 200;

/** What handlers of plain HTTP paths ask. */
export interface HttpAuthentication {
  /**
   * Who makes the request: by bearer token, client certificate or AWS signature (Version 4).
   *
   * @param body all of it: a signature covers it
   * @param role what the request needs, when that is known now
   * @throws PenstockError of the codes `unauthenticated`, `awsTokenMissing`, `awsSignatureIncomplete`, `awsSignatureInvalid`,
   * `awsKeyUnknown`, `permissionDenied`
   */
  authenticate(request: IncomingMessage, body: Uint8Array, role?: Role): Promise<Caller>;
  /** Who makes the request, by bearer token or client certificate. @throws PenstockError `unauthenticated`, `permissionDenied` */
  admit(request: IncomingMessage, role: Role): Promise<Caller>;
  /**
   * An authenticated request has come to its end, and what it did is logged: who made it, when it may change something; a refusal is counted as
   * any other.
   *
   * @param error null: it was done
   */
  ended(request: IncomingMessage, ended: EndedRequest): void;
}

export interface EndedRequest {
  readonly caller: Caller;
  /** What the request needed. */
  readonly role: Role;
  readonly error: unknown;
}

export function httpAuthentication(access: Access, log: Logger): HttpAuthentication {
  async function check(
    request: IncomingMessage,
    asked: Promise<Admission>,
    role: Role | undefined,
  ): Promise<Caller> {
    const method = methodOf(request);
    const { caller } = await asked.catch((error: unknown) => {
      access.denied("unauthenticated", { method, subject: null });
      throw error;
    });
    try {
      if (role !== undefined) requireRole(caller, role);
      return caller;
    } catch (error) {
      access.denied("permissionDenied", { method, subject: caller.subject });
      throw error;
    }
  }

  return {
    async authenticate(request, body, role) {
      const asked = access.authenticateSigned({
        ...presentedBy(request),
        method: request.method ?? "",
        url: request.url ?? "",
        headers: request.headers,
        body,
      });
      return check(request, asked, role);
    },
    async admit(request, role) {
      return check(request, access.authenticate(presentedBy(request)), role);
    },
    ended(request, { caller: { subject }, role, error }) {
      const method = methodOf(request);
      if (isDenial(error)) access.denied("permissionDenied", { method, subject });
      if (access.isOpen || (role !== "operator" && role !== "admin")) return;
      log.info("call", { subject, method, code: codeOf(error) });
    },
  };
}

function methodOf(request: IncomingMessage): string {
  return `${request.method} ${request.url?.split("?", 1)[0] ?? ""}`.slice(0, METHOD_LENGTH_MAX);
}

function codeOf(error: unknown): string {
  if (error === null) return "ok";
  return error instanceof PenstockError ? error.code : "refused";
}

/** Answers a request whose caller was not let in. The body was not read: the connection can't be used again. */
export function respondDenied(response: ServerResponse, error: unknown): void {
  const denial =
    error instanceof PenstockError ? error : new PenstockError("internal", "internal error");
  const isUnknown = denial.code === "unauthenticated";
  respondJson(
    response,
    denial.row.http,
    { code: denial.row.rpc.toLowerCase(), message: denial.message },
    { connection: "close", ...(isUnknown && { "www-authenticate": 'Bearer realm="penstock"' }) },
  );
}
