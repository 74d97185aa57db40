/**
 * SASL for kafkajs: its handshake and transport, our exchange and our credentials, asked for before each authentication so that a rotated secret is used
 * without a restart. Before Kafka 1.0 the messages go raw over the wire and a refusal is a closed connection; kafkajs knows which.
 */
import { PenstockError, type SaslCredentials, type SourceSecurity } from "@penstock/core";
import { KAFKA } from "../../cluster/kafka-error.ts";
import type { RefusalPause } from "../../connection/refusal-pause.ts";
import { authenticate, checkSasl, type SaslWire } from "../../sasl/sasl-exchange.ts";
import type { KafkajsSaslContext, KafkajsSaslOptions } from "./kafkajs-internals.ts";

const PREFIX_BYTES = 4;

export function kafkajsSasl(
  mechanism: SaslCredentials["mechanism"],
  security: SourceSecurity,
  pause: RefusalPause,
): KafkajsSaslOptions {
  return {
    mechanism,
    authenticationProvider: (context) => ({
      authenticate: async () => {
        const { host, port } = context;
        const { sasl, version } = await security.credentials(host, port);
        if (sasl?.mechanism !== mechanism)
          throw new PenstockError(
            "kafkaAuthentication",
            `The secret asks for another SASL mechanism than ${mechanism}, with which the source was opened.`,
          );
        checkSasl(sasl);
        pause.before(version);
        try {
          await authenticate(wireOf(context), sasl, `${host}:${port}`);
          pause.accepted();
        } catch (error) {
          if (error instanceof PenstockError && error.code === "kafkaAuthentication") {
            security.refused(version);
            pause.refused(version, error);
          }
          throw error;
        }
      },
    }),
  };
}

function wireOf(context: KafkajsSaslContext): SaslWire {
  return {
    // kafkajs has made it before it asks for the exchange.
    handshake: async () => ({ errorCode: KAFKA.none, mechanisms: [] }),
    authenticate: async (message) => {
      const answer = { authBytes: Buffer.alloc(0), sessionLifetimeMs: 0n };
      try {
        const framed = await context.saslAuthenticate({
          request: { encode: async () => withLength(message) },
          response: { decode: async (payload) => payload, parse: async (data) => data },
        });
        return { ...answer, errorCode: KAFKA.none, authBytes: framed.subarray(PREFIX_BYTES) };
      } catch (error) {
        const { code, name } = error as { code?: unknown; name?: string };
        // The latter is how kafkajs calls the end of the connection in the middle of a raw exchange.
        const isRefusal =
          code === KAFKA.saslAuthenticationFailed || name === "KafkaJSConnectionError";
        if (!isRefusal) throw error;
        return { ...answer, errorCode: KAFKA.saslAuthenticationFailed };
      }
    },
  };
}

function withLength(message: Buffer): Buffer {
  const framed = Buffer.alloc(PREFIX_BYTES + message.length);
  framed.writeInt32BE(message.length, 0);
  message.copy(framed, PREFIX_BYTES);
  return framed;
}
