import { constants } from "node:crypto";
import { createSecureContext, type SecureContextOptions, type TlsOptions } from "node:tls";
import { PenstockError } from "@penstock/core";

/** The certificate, key and client authority of a process, as PEM texts. */
export interface Identity {
  readonly certificate: string;
  readonly key: string;
  /** Who signs the certificates of clients; null: none is asked for. */
  readonly clientCa: string | null;
}

/** TLS of the listeners of one process. */
export interface ListenerTls {
  readonly identity: Identity;
  /** Calls whenever certificate, key or authority were replaced; the listener takes them for new connections. */
  onChange(changed: (identity: Identity) => void): () => void;
}

/** @throws PenstockError `invalidArgument` when certificate and key don't belong together or aren't PEM */
export function checkIdentity(identity: Identity): Identity {
  try {
    createSecureContext(contextOf(identity));
    return identity;
  } catch (cause) {
    const message =
      "The certificate, its key and the client authority must be PEM and belong together.";
    throw new PenstockError("invalidArgument", message, { cause });
  }
}

/**
 * Options of a listener. A client certificate is asked for when there is an authority for them, and none is required here: a client
 * may have a token instead, and health needs neither. One that isn't good is refused by authentication.
 */
export function listenerOptions({ identity }: ListenerTls, handshakeMsMax: number): TlsOptions {
  return {
    ...contextOf(identity),
    requestCert: identity.clientCa !== null,
    rejectUnauthorized: false,
    handshakeTimeout: handshakeMsMax,
  };
}

function contextOf({ certificate, key, clientCa }: Identity): SecureContextOptions {
  return {
    cert: certificate,
    key,
    minVersion: "TLSv1.2",
    // A resumed session would go by the authority of the day on which it began.
    secureOptions: constants.SSL_OP_NO_TICKET,
    ...(clientCa !== null && { ca: clientCa }),
  };
}

/** Keeps a listener on the present identity. @returns ends that */
export function followIdentity(
  tls: ListenerTls,
  server: { setSecureContext(options: SecureContextOptions): void },
): () => void {
  return tls.onChange((identity) => server.setSecureContext(contextOf(identity)));
}
