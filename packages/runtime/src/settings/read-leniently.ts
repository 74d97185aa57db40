import type { Environment } from "./parse-settings.ts";
import type { Setting } from "./setting.ts";

/**
 * One setting outside a service's schema: a wrong value reads as the default. For what must work before or beside the strict reading
 * (`parseSettings`), which reports such a value.
 */
export function readLeniently<T>(setting: Setting<T>, env: Environment): T {
  const given = env[setting.name]?.trim() ?? "";
  const result = given === "" ? setting.fallback : setting.read(given);
  if (result.ok) return result.value;
  if (setting.fallback.ok) return setting.fallback.value;
  throw new TypeError(`${setting.name} has no default`);
}
