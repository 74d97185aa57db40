import type { IncomingHttpHeaders } from "node:http";
import { TLSSocket } from "node:tls";
import type { Presented, PresentedCertificate } from "../auth/access.ts";

interface Shown {
  readonly headers: IncomingHttpHeaders;
  readonly socket: unknown;
}

/** Read once for each connection: a session carries many calls. */
const certificates = new WeakMap<TLSSocket, PresentedCertificate | null>();

export function presentedBy({ headers, socket }: Shown): Presented {
  return { authorization: headers.authorization, certificate: certificateOf(socket) };
}

function certificateOf(socket: unknown): PresentedCertificate | null {
  if (!(socket instanceof TLSSocket)) return null;
  const known = certificates.get(socket);
  if (known !== undefined) return known;
  const certificate = readCertificate(socket);
  certificates.set(socket, certificate);
  return certificate;
}

function readCertificate(socket: TLSSocket): PresentedCertificate | null {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return null;
  const expiresAtMs = Date.parse(certificate.validTo);
  if (!socket.authorized) {
    // Anybody can make one: nothing in it is looked at.
    const error: unknown = socket.authorizationError;
    return { problem: problemOf(error), subject: "", names: [], expiresAtMs };
  }
  // A certificate that has alternative names only has no subject, and then Node has none either.
  const subject: string | undefined = certificate.subject;
  return {
    problem: null,
    subject: (subject ?? "").split("\n").join(","),
    names: alternativeNames(certificate.subjectAltName ?? ""),
    expiresAtMs,
  };
}

function problemOf(error: unknown): string {
  if (typeof error === "string") return error;
  return error instanceof Error ? error.message : "not trusted";
}

const KINDS: Readonly<Record<string, string>> = { DNS: "dns", URI: "uri", email: "email" };

/**
 * `DNS:a, URI:"spiffe://…"` apart, as `dns:a` and `uri:spiffe://…`. Node quotes a name, as JSON, when it has characters that could be
 * taken for the end of it.
 */
export function alternativeNames(text: string): string[] {
  const names: string[] = [];
  for (const [, kind, value] of text.matchAll(
    /(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?=, |$)/g,
  )) {
    const prefix = KINDS[kind ?? ""];
    if (prefix === undefined || value === undefined) continue;
    names.push(`${prefix}:${value.startsWith('"') ? String(JSON.parse(value)) : value}`);
  }
  return names;
}
