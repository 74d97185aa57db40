import { PenstockError } from "@penstock/core";
import { isLoopback } from "../settings/table/security-settings.ts";
import { OPEN_ACCESS } from "./access.ts";
import type { ListenerSecurity } from "./open-security.ts";

/** What a listener goes by. @throws PenstockError when everybody beyond the loopback could call */
export function listenerSecurity(options: {
  readonly host: string;
  readonly security?: ListenerSecurity;
}): ListenerSecurity {
  const security = options.security ?? { access: OPEN_ACCESS, tls: null };
  if (security.access.isOpen && !isLoopback(options.host)) {
    const message = `Nobody has to authenticate: ${options.host} is beyond the loopback.`;
    throw new PenstockError("invalidArgument", message);
  }
  return security;
}
