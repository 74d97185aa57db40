import type { IncomingMessage } from "node:http";
import type { Access, Admission } from "../auth/access.ts";
import type { Caller, Role } from "../auth/caller.ts";
import { requireRole } from "../auth/roles.ts";
import { presentedBy } from "../tls/presented.ts";

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
}

export function httpAuthentication(access: Access): HttpAuthentication {
  return {
    async authenticate(request, body, role) {
      const method = `${request.method} ${request.url?.split("?", 1)[0] ?? ""}`;
      let admission: Admission;
      try {
        admission = await access.authenticateSigned({
          ...presentedBy(request),
          method: request.method ?? "",
          url: request.url ?? "",
          headers: request.headers,
          body,
        });
      } catch (error) {
        access.denied("unauthenticated", { method, subject: null });
        throw error;
      }
      const { caller } = admission;
      try {
        if (role !== undefined) requireRole(caller, role);
      } catch (error) {
        access.denied("permissionDenied", { method, subject: caller.subject });
        throw error;
      }
      return caller;
    },
  };
}
