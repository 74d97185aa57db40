/**
 * Who gets in: the one question that every listener asks before it serves anything but health.
 *
 *     request ─▶ presented (header, certificate) ─▶ Access.authenticate ─▶ Admission ─▶ method table ─▶ handler
 *
 * Open access (nothing configured) admits everybody as ANONYMOUS and is possible on the loopback only.
 */
import type { IncomingHttpHeaders } from "node:http";
import { ANONYMOUS, type Caller } from "./caller.ts";

/** What a connection and a request show of who makes it. */
export interface Presented {
  readonly authorization: string | undefined;
  readonly certificate: PresentedCertificate | null;
}

/** The certificate of a TLS client. */
export interface PresentedCertificate {
  /** Null: signed by the configured authority and valid now; else why not. */
  readonly problem: string | null;
  /** Such as `CN=poller-1,O=Example`, in the order of the certificate. Empty: it has none, or is not trusted. */
  readonly subject: string;
  /** Subject alternative names, such as `dns:poller.internal` and `uri:spiffe://penstock/poller`. None of one that is not trusted. */
  readonly names: readonly string[];
  readonly expiresAtMs: number;
}

/** A plain HTTP request, as far as a signature covers it. */
export interface SignedRequest extends Presented {
  readonly method: string;
  /** Path and query as they came. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/** A caller that got in. */
export interface Admission {
  readonly caller: Caller;
  /** Whether the credential still stands: not expired, not taken back. For streams, which outlive the question. */
  isGood(): boolean;
}

export type DenialReason = "unauthenticated" | "permissionDenied" | "withdrawn";

export interface Access {
  /** No credentials are configured: everybody is ANONYMOUS. */
  readonly isOpen: boolean;
  /** @throws PenstockError `unauthenticated` that says why, never with what was presented */
  authenticate(presented: Presented): Promise<Admission>;
  /** As `authenticate`, and takes AWS signatures too, with AWS's errors. */
  authenticateSigned(request: SignedRequest): Promise<Admission>;
  /** Counts a refusal and logs it, not too often. `subject` is null while nobody knows who it was. */
  denied(
    reason: DenialReason,
    what: { readonly method: string; readonly subject: string | null },
  ): void;
}

const EVERYBODY: Admission = { caller: ANONYMOUS, isGood: () => true };

/** No credentials are configured. */
export const OPEN_ACCESS: Access = {
  isOpen: true,
  authenticate: async () => EVERYBODY,
  authenticateSigned: async () => EVERYBODY,
  denied() {},
};
