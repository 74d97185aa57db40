import { PenstockError } from "@penstock/core";
import { probePort } from "./port-probe.ts";

/** Whether a connection failed because the port speaks TLS and we didn't, or the other way round. */
export async function findMixUp(
  address: string,
  port: number,
  isTls: boolean,
  broker: string,
): Promise<PenstockError | null> {
  const speaks = await probePort(address, port, isTls ? "kafka" : "tls");
  if (isTls && speaks === "kafka")
    return new PenstockError(
      "kafkaProtocolMismatch",
      `${broker} speaks plaintext, and the source access of the mapping asks for TLS; use the port of its TLS listener.`,
    );
  if (!isTls && speaks === "tls")
    return new PenstockError(
      "kafkaProtocolMismatch",
      `${broker} speaks TLS, and the mapping plaintext; use the port of its plaintext listener, or add what its TLS listener needs to the source access (SERVER_ROOT_CA_CERTIFICATE, an authentication).`,
    );
  return null;
}
