/**
 * The exchange that authenticates a connection. After version 0 of the handshake (Kafka 0.10 and 0.11) come bare tokens instead of requests, which
 * Penstock doesn't speak: there the handshake only tells that a broker wants to know who asks.
 */
import {
  saslAuthenticateV0,
  saslAuthenticateV1,
  saslAuthenticateV2,
  saslHandshakeV0,
  saslHandshakeV1,
} from "@platformatic/kafka";
import type { VersionTable } from "./ask.ts";

export const SASL_HANDSHAKE: VersionTable<
  [mechanism: string],
  saslHandshakeV1.SaslHandshakeResponse
> = {
  name: "SaslHandshake",
  since: "0.10.1",
  versions: [saslHandshakeV1.api, saslHandshakeV0.api],
};

/** The lifetime of a session comes with version 1 (Kafka 2.2); before, a session doesn't end. */
export const SASL_AUTHENTICATE: VersionTable<
  [message: Buffer],
  saslAuthenticateV2.SaslAuthenticateResponse
> = {
  name: "SaslAuthenticate",
  since: "1.0",
  versions: [saslAuthenticateV2.api, saslAuthenticateV1.api, saslAuthenticateV0.api],
};
