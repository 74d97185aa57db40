import { PenstockError } from "@penstock/core";
import type { Connection } from "@platformatic/kafka";
import { ask } from "../cluster/versions/ask.ts";
import { METADATA } from "../cluster/versions/cluster-apis.ts";
import { SASL_HANDSHAKE } from "../cluster/versions/sasl-apis.ts";
import { offers } from "../sasl/mechanism-names.ts";
import { type ApiRanges, versionsOf } from "./api-ranges.ts";
import { hangUp } from "./hang-up.ts";

const UNSUPPORTED_SASL_MECHANISM = 33;
const NO_MECHANISM = "NONE";

interface Connected {
  readonly connection: Connection;
  readonly versions: ApiRanges;
}

/**
 * A listener with SASL answers ApiVersions to everybody and then hangs up on whoever doesn't authenticate. Asks for something harmless, and on a second
 * connection why, so that the problem has its name: rejects with kafkaAuthentication, or with what the request failed with.
 */
export async function requireWelcome(
  { connection, versions }: Connected,
  connectAgain: () => Promise<Connected>,
  broker: string,
): Promise<void> {
  const source = versionsOf(versions);
  try {
    await ask(source, connection, METADATA, [], false, false);
  } catch (error) {
    if (error instanceof PenstockError && error.code === "kafkaUnsupported") throw error;
    const { connection: second } = await connectAgain();
    try {
      const { errorCode, mechanisms } = await ask(source, second, SASL_HANDSHAKE, NO_MECHANISM);
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
