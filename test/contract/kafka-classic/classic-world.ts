/** A world whose members speak the classic protocol, with a session as short as brokers allow. */
import { GroupWorld } from "../../record-source/group-world.ts";

/** Brokers take no shorter one unless they are told to (group.min.session.timeout.ms). */
export const SESSION_MS = 6_000;

export function classicWorld(bootstrapServers: string): GroupWorld {
  return new GroupWorld(bootstrapServers, {
    groupProtocol: "classic",
    classicSessionTimeoutMs: SESSION_MS,
  });
}
