import { InvariantError, type RecordSourceOptions } from "@penstock/core";
import type { EventPollerContext } from "./context.ts";
import type { EventPollerSettings } from "./settings.ts";

/** Whom to connect to and how. Never less protected than the settings say. */
export function sourceOf(
  { sourceSecurity }: Pick<EventPollerContext, "sourceSecurity">,
  { bootstrapServers, sourceAccess }: EventPollerSettings,
): Pick<RecordSourceOptions, "bootstrapServers" | "security"> {
  if (sourceSecurity)
    return { bootstrapServers, security: sourceSecurity.open(sourceAccess, bootstrapServers) };
  if (sourceAccess.length > 0) throw new InvariantError("a secured source without its secrets");
  return { bootstrapServers };
}
