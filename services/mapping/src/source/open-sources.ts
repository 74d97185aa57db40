import type { Clock, SourceAccess } from "@penstock/core";
import { createAddressGuards, dialGuard } from "@penstock/egress";
import { createAdmin, type KafkaAdmin } from "@penstock/kafka";
import { type Caller, databasePortsOf, type Logger, ownPortsOf } from "@penstock/runtime";
import { openSecrets } from "@penstock/secrets";
import type { MappingSettings } from "../settings.ts";

/** Brokers, and how to come in. */
export interface SourceReference {
  readonly bootstrapServers: readonly string[];
  readonly sourceAccess: readonly SourceAccess[];
}

export interface Sources {
  /** An administrator with the secrets of a mapping; it connects when it is asked something, and is closed by who opened it. */
  openAdmin(source: SourceReference): KafkaAdmin;
  /** Whether a caller may give these secrets to these brokers. Rejects with `secretDenied`. */
  checkSource(
    caller: Caller,
    access: readonly SourceAccess[],
    bootstrapServers: readonly string[],
  ): Promise<void>;
}

export interface SourcesParts {
  readonly log: Pick<Logger, "debug" | "info" | "warn" | "error">;
  readonly clock: Clock;
  /** For `env:` references; nothing but PENSTOCK_SECRET_* is read of it. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The way of this process to the brokers of all mappings: one guard of addresses, one cache of secrets, one judge of their use. */
export function openSources(settings: MappingSettings, { log, clock, env }: SourcesParts): Sources {
  const ownPorts = [...ownPortsOf(settings), ...databasePortsOf(settings.databaseUrl)];
  const guards = createAddressGuards({ settings, ownPorts: () => ownPorts });
  const secrets = openSecrets({ settings, env, guards, clock, log });
  const addressGuard = dialGuard(guards.of("brokers"));
  return {
    openAdmin: ({ bootstrapServers, sourceAccess }) => {
      const security = secrets.sourceSecurity.open(sourceAccess, bootstrapServers);
      return createAdmin({ bootstrapServers, security, addressGuard, clock, log });
    },
    checkSource: (caller, access, bootstrapServers) =>
      secrets.checkUse(access, bootstrapServers, caller),
  };
}
