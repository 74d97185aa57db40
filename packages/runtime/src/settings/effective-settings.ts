import { Secret } from "../secrets/secret.ts";
import type { Parsed, Schema } from "./parse-settings.ts";

/** The effective settings by name, for the log at start. A secret shows whether it is set, never its value. */
export function effectiveSettings<S extends Schema>(
  schema: S,
  settings: Parsed<S>,
): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(schema)) {
    const value: unknown = settings[key];
    shown[setting.name] = value instanceof Secret ? value.toJSON() : value;
  }
  return shown;
}
