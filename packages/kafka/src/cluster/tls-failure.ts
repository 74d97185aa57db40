/** What went wrong with TLS, and what to change, by Node's and OpenSSL's codes. Null: not a matter of TLS. */
export function tlsFailure(code: string): string | null {
  const alert = /^ERR_SSL_.*ALERT_(.+)$/.exec(code)?.[1];
  if (alert !== undefined) return ALERTS[alert] ?? HANDSHAKE_FAILED;
  if (CERTIFICATE[code]) return CERTIFICATE[code];
  const isOther =
    code.startsWith("ERR_TLS_") ||
    code.startsWith("ERR_SSL_") ||
    code.startsWith("CERT_") ||
    code.startsWith("CRL_") ||
    code.startsWith("UNABLE_TO_") ||
    code === "EPROTO";
  return isOther ? HANDSHAKE_FAILED : null;
}

const HANDSHAKE_FAILED =
  "The TLS handshake with the Kafka broker failed; it must speak TLS 1.2 or later";
const UNTRUSTED =
  "The certificate of the Kafka broker is not signed by a trusted authority; give the authority's certificate as SERVER_ROOT_CA_CERTIFICATE, or sign the broker's by a public one";
const CLIENT_REFUSED =
  "The Kafka broker refuses the client certificate; use one that is signed by an authority of the broker's trust store";

const CERTIFICATE: Readonly<Record<string, string>> = {
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  CERT_SIGNATURE_FAILURE: UNTRUSTED,
  CERT_UNTRUSTED: UNTRUSTED,
  CERT_REJECTED: UNTRUSTED,
  INVALID_CA: UNTRUSTED,
  INVALID_PURPOSE:
    "The certificate of the Kafka broker is not one for servers; give the broker a certificate for server authentication",
  CERT_HAS_EXPIRED: "The certificate of the Kafka broker has expired; renew it",
  CERT_NOT_YET_VALID:
    "The certificate of the Kafka broker is not valid yet; correct its dates, or the clock of this machine",
  CERT_REVOKED: "The certificate of the Kafka broker was revoked; replace it",
  ERR_TLS_CERT_ALTNAME_INVALID:
    "The certificate of the Kafka broker is for another name; use a name of the certificate in the bootstrap servers and in the listeners that the brokers advertise",
};

/** Alerts of the broker (RFC 8446, 6.2), in OpenSSL's spelling. */
const ALERTS: Readonly<Record<string, string>> = {
  CERTIFICATE_REQUIRED:
    "The Kafka broker requires a client certificate; add CLIENT_CERTIFICATE_TLS_AUTH",
  // What TLS 1.2 answers when none was given, too.
  BAD_CERTIFICATE: `${CLIENT_REFUSED}, and give one if there is none`,
  UNSUPPORTED_CERTIFICATE: CLIENT_REFUSED,
  CERTIFICATE_REVOKED: CLIENT_REFUSED,
  CERTIFICATE_EXPIRED: "The client certificate has expired; renew it in its secret",
  CERTIFICATE_UNKNOWN: CLIENT_REFUSED,
  UNKNOWN_CA: CLIENT_REFUSED,
  ACCESS_DENIED: CLIENT_REFUSED,
};
