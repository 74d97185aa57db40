import type { IncomingMessage, ServerResponse } from "node:http";
import { PenstockError } from "@penstock/core";
import type { Access, Admission } from "../auth/access.ts";
import type { Caller, Role } from "../auth/caller.ts";
import { requireRole } from "../auth/roles.ts";
import { presentedBy } from "../tls/presented.ts";
import { respondJson } from "./respond-json.ts";

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
}

export function httpAuthentication(access: Access): HttpAuthentication {
  async function check(
    request: IncomingMessage,
    asked: Promise<Admission>,
    role: Role | undefined,
  ): Promise<Caller> {
    const method = `${request.method} ${request.url?.split("?", 1)[0] ?? ""}`;
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
    authenticate(request, body, role) {
      const asked = access.authenticateSigned({
        ...presentedBy(request),
        method: request.method ?? "",
        url: request.url ?? "",
        headers: request.headers,
        body,
      });
      return check(request, asked, role);
    },
    admit: (request, role) => check(request, access.authenticate(presentedBy(request)), role),
  };
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
