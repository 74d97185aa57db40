import { PenstockError } from "@penstock/core";
import { type Connection, metadataV12, saslHandshakeV1 } from "@platformatic/kafka";
import { request } from "../cluster/request.ts";
import { offers } from "../sasl/mechanism-names.ts";
import { hangUp } from "./hang-up.ts";

const UNSUPPORTED_SASL_MECHANISM = 33;
const NO_MECHANISM = "NONE";

/**
 * A listener with SASL answers ApiVersions to everybody and then hangs up on whoever doesn't authenticate. Asks for something harmless, and on a second
 * connection why, so that the problem has its name: rejects with kafkaAuthentication, or with what the request failed with.
 */
export async function requireWelcome(
  connection: Connection,
  connectAgain: () => Promise<{ readonly connection: Connection }>,
  broker: string,
): Promise<void> {
  try {
    await request(connection, metadataV12.api, [], false, false);
  } catch (error) {
    const { connection: second } = await connectAgain();
    try {
      const { errorCode, mechanisms } = await request(second, saslHandshakeV1.api, NO_MECHANISM);
      if (errorCode !== UNSUPPORTED_SASL_MECHANISM) throw error;
      throw new PenstockError(
        "kafkaAuthentication",
        `${broker} requires authentication, and the source access of the mapping has none${offers(mechanisms)}.`,
      );
    } finally {
      hangUp(second);
    }
  }
}
