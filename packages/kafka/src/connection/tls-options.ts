/**
 * How a connection to a broker is protected by TLS: always verified against the name that was dialled, never below TLS 1.2, whatever the environment of
 * the process says (S-21).
 */
import { isIP } from "node:net";
import { type ConnectionOptions, checkServerIdentity, createSecureContext } from "node:tls";
import { PenstockError, type TlsCredentials } from "@penstock/core";

/** Throws PenstockError(secretMalformed) when OpenSSL can't use the texts. */
export function tlsOptions(credentials: TlsCredentials, host: string): ConnectionOptions {
  const { ca, certificate, privateKey, privateKeyPassword } = credentials;
  let secureContext: ReturnType<typeof createSecureContext>;
  try {
    secureContext = createSecureContext({
      minVersion: "TLSv1.2",
      ...(ca === null ? {} : { ca }),
      ...(certificate === null ? {} : { cert: certificate }),
      ...(privateKey === null ? {} : { key: privateKey }),
      ...(privateKeyPassword === null ? {} : { passphrase: privateKeyPassword }),
    });
  } catch (cause) {
    throw new PenstockError(
      "secretMalformed",
      "The client certificate, its private key or the authority of the secret can't be used: they must be PEM, belong together, and be decrypted by the given password.",
      { cause },
    );
  }
  return {
    secureContext,
    rejectUnauthorized: true,
    // A name for the broker to choose its certificate by; addresses have none (RFC 6066).
    ...(isIP(host) === 0 ? { servername: host } : {}),
    // What is dialled is an address that a guard resolved; what is verified is the name that was asked for.
    checkServerIdentity: (_dialled, peer) => checkServerIdentity(host, peer),
  };
}
